//! Test support: a way to start another program as the children of this process, and a report for them to read.
//!
//! A test program does not begin with [`run_child`](crate::run_child), so it cannot be its own child. No program
//! contains this module.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// One chapter of tables is enough for a report. Every number is different.
pub const REPORT: &str = "云溪县档案局2023年政府信息公开工作年度报告\n\
    一、总体情况\n全年主动公开信息三百余条。\n\
    二、主动公开政府信息情况\n\
    信息内容\t本年制发件数\t本年废止件数\t现行有效件数\n规章\t2\t3\t14\n行政规范性文件\t5\t6\t17\n\
    三、收到和处理政府信息公开申请情况\n四、政府信息公开行政复议、行政诉讼情况\n\
    五、存在的主要问题及改进情况\n解读形式单一，将增加图解。\n六、其他需要报告的事项\n无。\n";

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Sets the program to start as a child. Its `main` must begin with [`run_child`](crate::run_child). Only the first
/// call has an effect.
pub fn children_run(program: impl AsRef<Path>) {
    PROGRAM.get_or_init(|| program.as_ref().to_owned());
}

pub(crate) fn program() -> Option<PathBuf> {
    PROGRAM.get().cloned()
}

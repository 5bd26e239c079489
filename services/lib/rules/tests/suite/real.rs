//! A report in the style of real bodies, clean, with every kind of number in its prose.

use gongkai_forms::Forms;
use gongkai_model::{Fact, FactId, FormId, Paragraph, Period, Report, Section, Span, State, Variant};
use rust_decimal::Decimal;

const AGENCY: &str = "常州市人民政府";

const PREAMBLE: &str = "本报告由常州市人民政府办公室根据《中华人民共和国政府信息公开条例》（国务院令第711号）和《中华人民共和国政府信息公开工作年度报告格式》（国办公开办函〔2021〕30号）编制。报告所列数据的统计期限自2024年1月1日起至2024年12月31日止。本报告电子版可在市政府网站（www.changzhou.gov.cn）下载。如有疑问，请与常州市人民政府办公室联系（地址：龙城大道1280号，电话：0519-85680001，电子邮箱：zwgk@163.com）。";

const CHAPTERS: [(&str, &[&str]); 6] = [
    (
        "一、总体情况",
        &[
            "2024年，我市认真落实条例各项规定，较好完成全年任务。",
            "（一）主动公开。全年主动公开政府信息1286条，其中机构职能35条、政策文件211条、工作动态860条、财政信息180条。制发行政规范性文件14件，废止9件，现行有效163件。",
            "（二）依申请公开。全年新收政府信息公开申请512件，上年结转23件，办结518件，结转下年度继续办理17件。办结的申请中，予以公开201件，占38.8%；部分公开60件，占11.58%；不予公开47件；无法提供150件；不予处理32件；其他处理28件。",
            "政府信息公开行政复议41件，其中结果维持22件，结果纠正6件，其他结果9件，尚未审结4件；政府信息公开行政诉讼19件。",
            "（三）政府信息管理。严格执行公文公开属性源头认定和“三审三校”制度，开展规范性文件清理。",
            "（四）平台建设。优化政府网站栏目12个，编发政府公报6期，政务新媒体同步转发。",
            "（五）监督保障。将政务公开纳入年度工作考核，开展社会评议，全年举办培训3场，未发生责任追究情形。",
        ],
    ),
    ("二、主动公开政府信息情况", &[]),
    ("三、收到和处理政府信息公开申请情况", &[]),
    ("四、政府信息公开行政复议、行政诉讼情况", &[]),
    (
        "五、存在的主要问题及改进情况",
        &[
            "存在的问题：一是部分信息更新不够及时；二是政策解读形式较为单一。",
            "改进情况：一是建立更新提醒机制，按月通报；二是制作图解和短视频。2025年，我市将继续提升公开质量。",
        ],
    ),
    ("六、其他需要报告的事项", &["2024年，全市共发出收费通知2件，收取信息处理费880元。"]),
];

/// The cells that are not 0. The totals of rows follow.
const CELLS: &[(&str, &str)] = &[
    ("proactive.regulations.issued", "2"),
    ("proactive.regulations.repealed", "1"),
    ("proactive.regulations.in_force", "38"),
    ("proactive.normative_documents.issued", "14"),
    ("proactive.normative_documents.repealed", "9"),
    ("proactive.normative_documents.in_force", "163"),
    ("proactive.licensing.decisions", "52817"),
    ("proactive.punishment.decisions", "8034"),
    ("proactive.coercion.decisions", "719"),
    ("proactive.fees.amount", "61345.27"),
    ("requests.received[natural_person]", "446"),
    ("requests.received[enterprise]", "52"),
    ("requests.received[social_organization]", "5"),
    ("requests.received[legal_service]", "9"),
    ("requests.carried_in[natural_person]", "20"),
    ("requests.carried_in[enterprise]", "3"),
    ("requests.outcome.granted[natural_person]", "170"),
    ("requests.outcome.granted[enterprise]", "24"),
    ("requests.outcome.granted[social_organization]", "3"),
    ("requests.outcome.granted[legal_service]", "4"),
    ("requests.outcome.partially_granted[natural_person]", "53"),
    ("requests.outcome.partially_granted[enterprise]", "7"),
    ("requests.outcome.refused.third_party_rights[natural_person]", "18"),
    ("requests.outcome.refused.process_information[natural_person]", "29"),
    ("requests.outcome.unavailable.not_held[natural_person]", "109"),
    ("requests.outcome.unavailable.not_held[enterprise]", "15"),
    ("requests.outcome.unavailable.needs_creation[natural_person]", "26"),
    ("requests.outcome.not_processed.petition[natural_person]", "21"),
    ("requests.outcome.not_processed.repeated[natural_person]", "8"),
    ("requests.outcome.not_processed.repeated[enterprise]", "3"),
    ("requests.outcome.other.not_corrected[natural_person]", "12"),
    ("requests.outcome.other.other[natural_person]", "6"),
    ("requests.outcome.other.other[enterprise]", "4"),
    ("requests.outcome.other.other[social_organization]", "2"),
    ("requests.outcome.other.other[legal_service]", "4"),
    ("requests.outcome.total[natural_person]", "452"),
    ("requests.outcome.total[enterprise]", "53"),
    ("requests.outcome.total[social_organization]", "5"),
    ("requests.outcome.total[legal_service]", "8"),
    ("requests.carried_out[natural_person]", "14"),
    ("requests.carried_out[enterprise]", "2"),
    ("requests.carried_out[legal_service]", "1"),
    ("disputes.reconsideration.upheld", "22"),
    ("disputes.reconsideration.corrected", "6"),
    ("disputes.reconsideration.other", "9"),
    ("disputes.reconsideration.pending", "4"),
    ("disputes.reconsideration.total", "41"),
    ("disputes.litigation_direct.upheld", "7"),
    ("disputes.litigation_direct.other", "2"),
    ("disputes.litigation_direct.total", "9"),
    ("disputes.litigation_after_reconsideration.upheld", "8"),
    ("disputes.litigation_after_reconsideration.pending", "2"),
    ("disputes.litigation_after_reconsideration.total", "10"),
];

/// Returns the report.
pub(crate) fn report() -> Report {
    let form = Forms::embedded().get(FormId::Form2021, Variant::Standard).unwrap().clone();
    let number = |id: &str| {
        let found = CELLS.iter().find(|(name, _)| *name == id);
        found.map_or(Decimal::ZERO, |(_, number)| number.parse().unwrap())
    };
    let value = |id: &FactId| match id.to_string().strip_suffix("[total]") {
        Some(row) => CELLS
            .iter()
            .filter(|(name, _)| name.strip_prefix(row).is_some_and(|rest| rest.starts_with('[')))
            .map(|(name, _)| number(name))
            .sum(),
        None => number(&id.to_string()),
    };
    let facts = form.cells().map(|id| Fact {
        state: State::Reported(value(&id)),
        id,
        source: None,
        unread_reason: None,
        candidates: Vec::new(),
    });
    let section = |(number, (title, texts)): (u32, &(&str, &[&str]))| Section {
        number,
        title: (*title).into(),
        title_span: None,
        paragraphs: texts.iter().map(|text| paragraph(text)).collect(),
        has_table: (2..=4).contains(&number),
    };
    Report {
        agency: AGENCY.into(),
        year: 2024,
        title_year: Some(2024),
        period: Some(Period { from: (2024, 1, 1), to: (2024, 12, 31), span: None }),
        form: FormId::Form2021,
        variant: Variant::Standard,
        title: format!("{AGENCY}2024年政府信息公开工作年度报告"),
        preamble: vec![paragraph(PREAMBLE)],
        sections: (1..).zip(&CHAPTERS).map(section).collect(),
        facts: facts.collect(),
        metadata: gongkai_model::Metadata::default(),
        notes: Vec::new(),
        parts: Vec::new(),
        identity: gongkai_model::Identity::default(),
    }
}

pub(crate) fn paragraph(text: &str) -> Paragraph {
    let scalars = u32::try_from(text.chars().count()).unwrap();
    Paragraph { text: text.into(), span: Some(Span { start: 500, end: 500 + scalars }), page: None }
}

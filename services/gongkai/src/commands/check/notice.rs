//! `--notice FILE`: the draft of a 通报, in which an office tells all bodies the results of a check.

use gongkai_model::Severity;

use super::{
    docx::{Block, DocxTable},
    letter::{self, LetterArgs},
    standings::{self, Standing, Totals, ranks},
    tables::FindingTables,
};

/// Returns the text of the draft. What is not known is left open, to be filled in by hand.
pub(super) fn blocks(tables: &FindingTables, letter: &LetterArgs) -> Vec<Block> {
    let (totals, standings) =
        (standings::totals(tables.documents()), standings::standings(tables.documents()));
    let years = if totals.years.is_empty() { "＿＿＿＿".to_owned() } else { totals.years.join("、") };
    let county = &totals.county;
    let mut blocks = vec![
        Block::Title(format!("关于{county}{years}年政府信息公开工作年度报告核查情况的通报")),
        Block::Addressee(format!("{}：", letter.to.as_deref().unwrap_or("各有关单位"))),
        Block::Body(format!(
            "根据《中华人民共和国政府信息公开条例》和《国务院办公厅政府信息与政务公开办公室关于印发〈中华人民共和国政府信息公开工作年度报告格式〉的通知》（国办公开办函〔2021〕30号）要求，近期对{}个单位{years}年政府信息公开工作年度报告进行了核查。现将有关情况通报如下。",
            standings.len()
        )),
        Block::Heading("一、总体情况".to_owned()),
        Block::Body(overall(tables, &totals, &standings)),
        Block::Heading("二、核查结果".to_owned()),
        Block::Body("各单位核查结果如下，按须整改问题由少到多排列。".to_owned()),
        Block::Table(results(&standings)),
        Block::Heading("三、主要问题".to_owned()),
    ];
    blocks.extend(faults(tables));
    blocks.push(Block::Heading("四、整改要求".to_owned()));
    blocks.extend(demands(letter, &totals));
    blocks.push(Block::Signature(letter.office.clone().unwrap_or_else(|| "（发文单位）".to_owned())));
    blocks.push(Block::Signature(letter::in_words(letter::today())));
    blocks
}

fn overall(tables: &FindingTables, totals: &Totals, standings: &[Standing]) -> String {
    let clean = standings.iter().filter(|standing| standing.is_clean()).count();
    let sum = |severity| tables.count(severity);
    let rejected = match totals.rejected {
        0 => String::new(),
        count => format!("，另有{count}份文件无法核查"),
    };
    let clean = match clean {
        0 => String::new(),
        count => format!("；{count}个单位未发现问题"),
    };
    format!(
        "共核查年度报告{}份{rejected}。发现必须整改的问题{}处，建议整改的问题{}处，需要核实的情况{}处{clean}。",
        totals.files - totals.rejected,
        sum(Severity::Error),
        sum(Severity::Warning),
        sum(Severity::Review),
    )
}

/// Returns the table of the results, with the rank of each body.
fn results(standings: &[Standing]) -> DocxTable {
    let heads = ["名次", "单位", "必须整改", "建议整改", "请核实"].map(str::to_owned).to_vec();
    let row = |(standing, rank): (&Standing, usize)| {
        let counts = [standing.errors, standing.warnings, standing.reviews].map(|count| count.to_string());
        [rank.to_string(), standing.agency.clone()].into_iter().chain(counts).collect()
    };
    let rows = standings.iter().zip(ranks(standings)).map(row);
    DocxTable { widths: vec![8, 40, 13, 13, 13], rows: std::iter::once(heads).chain(rows).collect() }
}

fn faults(tables: &FindingTables) -> Vec<Block> {
    let faults = standings::faults(tables.documents());
    if faults.is_empty() {
        return vec![Block::Body("未发现须整改的问题。".to_owned())];
    }
    let told = faults.iter().zip(1..).map(|(fault, number)| {
        let (agencies, findings) = (fault.agencies, fault.findings);
        Block::Body(format!(
            "{number}．不符合“{}”的要求，涉及{agencies}个单位{findings}处。",
            fault.condition
        ))
    });
    told.collect()
}

fn demands(letter: &LetterArgs, totals: &Totals) -> Vec<Block> {
    let due = letter.due.map_or_else(|| "＿＿＿＿年＿＿月＿＿日".to_owned(), letter::in_words);
    let to = letter.office.as_deref().unwrap_or("＿＿＿＿＿＿＿＿");
    let mut demands = vec![format!(
        "请各有关单位对照整改清单逐项核对、更正，并按规定重新公布，于{due}前将整改情况反馈至{to}。标注“请核实”的情况经核实无误的，请说明理由。"
    )];
    if totals.rejected > 0 {
        demands.push("文件无法核查的单位，请于同一时限前重新报送可以编辑的版本。".to_owned());
    }
    demands.push(format!("联系人：{}", letter.contact.as_deref().unwrap_or("＿＿＿＿＿＿＿＿")));
    demands.into_iter().map(Block::Body).collect()
}

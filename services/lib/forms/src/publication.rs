//! A document's statements about its own publication: the page's fields, the contact, the documents that it cites.
//!
//! Fields are in `<meta>` tags and in the block above the article (索引号, 发布日期, 来源 …). The time when the page
//! was scraped (采集时间) is not one of them.

use gongkai_model::{Block, Cell, CellRef, Document, Field, FieldName, Grid, Metadata, Paragraph, Source};

use crate::{citation, compact_text::CompactText, contact, identity, outline::Outline};

/// Maximum length of a field's value, in scalars.
const LONGEST: usize = 80;

/// Maximum length of a line of fields, in bytes.
const LONGEST_LINE: usize = 4096;

/// The names that pages print before a field's value. Longer names precede shorter ones that they begin with.
const NAMES: [(&str, FieldName); 47] = [
    ("网站标识码", FieldName::SiteIdCode),
    ("所属栏目", FieldName::ColumnName),
    ("栏目名称", FieldName::ColumnName),
    ("发布机构", FieldName::Publisher),
    ("公开主体", FieldName::Publisher),
    ("公开机构", FieldName::Publisher),
    ("发文机关", FieldName::Publisher),
    ("发文机构", FieldName::Publisher),
    ("发布单位", FieldName::Publisher),
    ("责任部门", FieldName::Publisher),
    ("责任单位", FieldName::Publisher),
    ("所属机构", FieldName::Publisher),
    ("所属单位", FieldName::Publisher),
    ("发布部门", FieldName::Publisher),
    ("公开单位", FieldName::Publisher),
    ("公开部门", FieldName::Publisher),
    ("编制单位", FieldName::Publisher),
    ("编制机关", FieldName::Publisher),
    ("报送单位", FieldName::Publisher),
    ("填报单位", FieldName::Publisher),
    ("报告单位", FieldName::Publisher),
    ("单位名称", FieldName::Publisher),
    ("机关名称", FieldName::Publisher),
    ("编报单位", FieldName::Publisher),
    ("发文单位", FieldName::Publisher),
    ("制作单位", FieldName::Publisher),
    ("供稿单位", FieldName::Publisher),
    ("发布日期", FieldName::Published),
    ("发布时间", FieldName::Published),
    ("公开日期", FieldName::Published),
    ("公开时间", FieldName::Published),
    ("成文日期", FieldName::Written),
    ("生成日期", FieldName::Written),
    ("发文日期", FieldName::Written),
    ("信息来源", FieldName::ContentSource),
    ("文章来源", FieldName::ContentSource),
    ("发文字号", FieldName::DocumentNumber),
    ("文件编号", FieldName::DocumentNumber),
    ("信息名称", FieldName::ArticleTitle),
    ("信息标题", FieldName::ArticleTitle),
    ("文件标题", FieldName::ArticleTitle),
    ("索引号", FieldName::IndexNumber),
    ("来源", FieldName::ContentSource),
    ("文号", FieldName::DocumentNumber),
    ("名称", FieldName::ArticleTitle),
    ("标题", FieldName::ArticleTitle),
    ("单位", FieldName::Publisher),
];

/// Other words with a colon on the same line: where a value ends.
const OTHER_NAMES: [&str; 24] = [
    "年度",
    "年份",
    "填报时间",
    "填报日期",
    "编制时间",
    "编制日期",
    "报送时间",
    "报送日期",
    "联系电话",
    "联系人",
    "采集时间",
    "浏览次数",
    "浏览量",
    "访问量",
    "阅读次数",
    "点击数",
    "点击率",
    "点击",
    "字体",
    "字号",
    "作者",
    "打印",
    "分享到",
    "编辑",
];

/// Reads the statements of a document about its publication.
pub(crate) fn read(document: &Document, outline: &Outline) -> Metadata {
    let prose = || {
        let sections = outline.sections.iter().flat_map(|section| &section.paragraphs);
        outline.front.iter().chain(sections)
    };
    let mut fields = document.fields.clone();
    let front = document.blocks.get(..outline.first_heading).unwrap_or(&document.blocks);
    let mut table = 0;
    for block in front {
        match block {
            Block::Paragraph(paragraph) => shown_in_line(paragraph, &mut fields),
            Block::Table(grid) => {
                shown_in_table(grid, table, &mut fields);
                table += 1;
            }
        }
    }
    Metadata {
        fields,
        contact: contact::read(prose(), identity::contact_body),
        citations: citation::read(prose()),
    }
}

/// Reads the fields of a line: `发布日期：2024-01-15 来源：某局 字体：大 中 小`.
fn shown_in_line(paragraph: &Paragraph, fields: &mut Vec<Field>) {
    if paragraph.text.len() > LONGEST_LINE
        || paragraph.text.contains("。")
        || !paragraph.text.contains(['：', ':'])
    {
        return;
    }
    let line = CompactText::new(paragraph);
    let mut names: Vec<(usize, usize, Option<FieldName>)> = Vec::new();
    let known = NAMES.iter().map(|(name, field)| (*name, Some(*field)));
    for (name, field) in known.chain(OTHER_NAMES.iter().map(|name| (*name, None))) {
        for (at, _) in line.text.match_indices(name) {
            let colon = line.text.get(at + name.len()..).and_then(|rest| rest.chars().next());
            let taken = names.iter().any(|(from, to, _)| at < *to && *from < at + name.len());
            if let (Some(colon @ ('：' | ':')), false) = (colon, taken) {
                names.push((at, at + name.len() + colon.len_utf8(), field));
            }
        }
    }
    names.sort_by_key(|(at, _, _)| *at);
    for (index, (_, start, field)) in names.iter().enumerate() {
        let end = names.get(index + 1).map_or(line.text.len(), |(next, _, _)| *next);
        let value = line.text.get(*start..end).unwrap_or_default();
        let bare = value.trim_end_matches(['|', '【', '[', '（', '(', '；', '，']);
        if let Some(name) = field.filter(|name| is_value(*name, bare)) {
            let source = line.source(*start..*start + bare.len());
            let value = source.text.trim().to_owned();
            fields.push(Field { name, is_tag: false, value, source });
        }
    }
}

/// Reads the fields of a table above the article: names with their values beside them.
fn shown_in_table(grid: &Grid, table: u32, fields: &mut Vec<Field>) {
    let rows = grid.by_row();
    for (at, row) in rows.iter().enumerate() {
        for (index, name) in row.iter().enumerate() {
            shown_in_cell(name, fields);
            // The value is beside its name, or below it where names are side by side.
            let beside = row.get(index + 1).filter(|cell| !is_field_name(&cell.text));
            let below = rows.get(at + 1).and_then(|next| next.iter().find(|cell| cell.column == name.column));
            let Some(value) = beside.or(below.filter(|cell| !is_field_name(&cell.text))) else { continue };
            let bare: String = name.text.chars().filter(|c| !c.is_whitespace()).collect();
            let bare = bare.trim_end_matches(['：', ':']);
            let known = NAMES.iter().find(|(known, _)| *known == bare);
            let compact: String = value.text.chars().filter(|c| !c.is_whitespace()).collect();
            if let Some((_, field)) = known.filter(|(_, field)| is_value(*field, &compact)) {
                let source = Source {
                    text: value.text.clone(),
                    cell: Some(CellRef { table, row: value.row, column: value.column }),
                    page: value.page,
                    span: value.span,
                    area: value.area,
                    part: None,
                };
                let value = value.text.trim().to_owned();
                fields.push(Field { name: *field, is_tag: false, value, source });
            }
        }
    }
}

/// Reads the fields of a cell that has the name and the value: 公开主体：某局.
fn shown_in_cell(cell: &Cell, fields: &mut Vec<Field>) {
    if cell.text.contains(['：', ':']) {
        let line = Paragraph { text: cell.text.clone(), span: cell.span, page: cell.page };
        shown_in_line(&line, fields);
    }
}

/// Returns true for the name of a field, with or without its colon.
fn is_field_name(text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bare = bare.trim_end_matches(['：', ':']);
    NAMES.iter().any(|(name, _)| *name == bare)
}

/// Returns true if a text can be the value of a field. The address of a saved page (来源：http://…) is not the source
/// of the content, and the unit of a table (单位：万元) is no publisher.
fn is_value(name: FieldName, value: &str) -> bool {
    let address = name == FieldName::ContentSource && value.starts_with("http");
    let unit = name == FieldName::Publisher && value.chars().nth(2).is_none();
    !value.is_empty() && value.chars().nth(LONGEST).is_none() && !address && !unit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Vec<(FieldName, String)> {
        let mut fields = Vec::new();
        shown_in_line(&Paragraph { text: text.to_owned(), ..Paragraph::default() }, &mut fields);
        fields.into_iter().map(|field| (field.name, field.value)).collect()
    }

    #[test]
    fn fields_are_read_from_the_line_above_the_article() {
        assert_eq!(
            line("发布日期：2024-01-15 10:12　来源：云川市水务局　浏览次数：317　字体：大 中 小"),
            [
                (FieldName::Published, "2024-01-15 10:12".to_owned()),
                (FieldName::ContentSource, "云川市水务局".to_owned())
            ]
        );
        assert_eq!(
            line("索 引 号：014320144/2024-00017"),
            [(FieldName::IndexNumber, "014320144/2024-00017".to_owned())]
        );
    }

    #[test]
    fn a_savers_words_are_no_fields() {
        assert_eq!(line("采集时间：2025-12-30T21:37:37+08:00"), []);
        assert_eq!(line("来源：http://www.yc.gov.cn/a.shtml"), []);
        assert_eq!(line("数据来源：统计。发布日期：2024-01-15"), []);
    }

    #[test]
    fn fields_are_read_from_the_table_above_the_article() {
        let texts = ["索引号：", "014-7", "发布机构", "云川市水务局"];
        let cells = (0..).zip(texts).map(|(column, text)| Cell {
            column,
            row_span: 1,
            column_span: 1,
            text: text.to_owned(),
            ..Cell::default()
        });
        let grid =
            Grid { rows: 1, columns: 4, cells: cells.collect(), spans_known: true, ends_unsure: false };
        let mut fields = Vec::new();
        shown_in_table(&grid, 3, &mut fields);
        let found: Vec<_> = fields.iter().map(|f| (f.name, f.value.as_str(), f.source.cell)).collect();
        let place = |column| Some(CellRef { table: 3, row: 0, column });
        assert_eq!(
            found,
            [(FieldName::IndexNumber, "014-7", place(1)), (FieldName::Publisher, "云川市水务局", place(3))]
        );
    }
}

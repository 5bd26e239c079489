//! Checks which agency a report belongs to, for lists and hints.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use gongkai_agencies::{Asked, Registry, Resolution, TableError, read_csv, write_csv};
use gongkai_model::{AgencyKey, AgencyKind, Level, Region};

const LIST: &str = r#"代码,名称,别名,上级代码,层级,类型,行政区划代码,网站域名,公布期限,联系人,通知渠道
ZS,樟树市人民政府,,,县级,政府,360982,www.zhangshu.gov.cn,3月20日,"张三, 办公室",county-office
ZS-DATA,樟树市数据局,樟树市大数据局@..2024-02-29;数据局,ZS,,,360982,
ZS-LJ,樟树市鹿江街道办事处,鹿江街道办事处;鹿江街道,ZS,,,360982,
GX-LJ,贵溪市鹿江街道办事处,鹿江街道办事处,GX,,,360681,https://www.guixi.gov.cn/
GX,贵溪市人民政府,,,,,360681,guixi.gov.cn
NC-CZ,江西省南昌市财政局,,,市级,部门,360100,
"#;

fn list() -> Registry {
    read_csv(LIST.as_bytes()).unwrap()
}

fn asked<'a>(document_name: &'a str, region: &str) -> Asked<'a> {
    Asked { document_name, region: region.parse().unwrap(), year: 2023, ..Asked::default() }
}

fn code(registry: &Registry, asked: &Asked<'_>) -> String {
    match registry.resolve(asked) {
        Resolution::Known(agency) => agency.code.to_string(),
        Resolution::Ambiguous(list) => {
            list.iter().map(|agency| agency.code.as_str()).collect::<Vec<_>>().join(" or ")
        }
        Resolution::Unknown => "unknown".to_owned(),
    }
}

#[test]
fn a_report_is_told_by_code_name_alias_region_and_site() {
    let registry = list();
    let cases = [
        ("樟树市鹿江街道办事处", "000000", "ZS-LJ"),
        ("鹿江街道办事处", "360982", "ZS-LJ"),
        ("鹿江街道办事处", "360681", "GX-LJ"),
        // The province's own site publishes reports of both counties.
        ("鹿江街道办事处", "360000", "GX-LJ or ZS-LJ"),
        ("鹿江街道办事处", "000000", "GX-LJ or ZS-LJ"),
        // A namesake is in a county that is not listed.
        ("鹿江街道办事处", "440103", "unknown"),
        ("樟树市 大数据局", "000000", "ZS-DATA"),
        ("江西省樟树市数据局", "000000", "ZS-DATA"),
        ("南昌市财政局", "000000", "NC-CZ"),
        ("财政局", "360100", "unknown"),
        ("青溪市水务局", "000000", "unknown"),
    ];
    for (name, region, expected) in cases {
        assert_eq!(code(&registry, &asked(name, region)), expected, "{name} in {region}");
    }
    let by_code = Asked { code: "GX-LJ", ..asked("樟树市鹿江街道办事处", "360982") };
    assert_eq!(code(&registry, &by_code), "ZS-LJ", "the document goes before the sender");
    let namesake = Asked { code: "GX-LJ", ..asked("鹿江街道办事处", "360982") };
    assert_eq!(code(&registry, &namesake), "GX-LJ", "whose name it is, the sender tells");
    let nameless = Asked { code: "GX-LJ", ..asked("本机关", "360982") };
    assert_eq!(code(&registry, &nameless), "GX-LJ");
    let unlisted_name = Asked { code: "ZS-DATA", ..asked("樟树市数据和大数据局", "360982") };
    assert_eq!(code(&registry, &unlisted_name), "ZS-DATA");
    let another = Asked { code: "ZS-DATA", ..asked("樟树市水务局", "360982") };
    assert_eq!(code(&registry, &another), "unknown");
    let by_sender = Asked { name: "樟树市数据局", ..asked("局", "000000") };
    assert_eq!(code(&registry, &by_sender), "ZS-DATA");
    let by_site = Asked { host: "xxgk.guixi.gov.cn", ..asked("鹿江街道办事处", "000000") };
    assert_eq!(code(&registry, &by_site), "GX-LJ");
    let other_site = Asked { host: "notguixi.gov.cn", ..asked("鹿江街道办事处", "000000") };
    assert_eq!(code(&registry, &other_site), "GX-LJ or ZS-LJ");
}

#[test]
fn sender_and_document_are_compared_by_what_they_mean() {
    let registry = list();
    let told = |code: &str, name: &str, document_name: &str, year: i32| {
        let asked = Asked { code, name, ..asked(document_name, "360982") };
        let key = match registry.resolve(&asked) {
            Resolution::Known(agency) => agency.code.clone(),
            _ => AgencyKey::provisional(document_name, Region::UNKNOWN),
        };
        let all = registry.differences(&asked, year, &key);
        all.iter().map(|d| format!("{} {} {}", d.field.as_str(), d.declared, d.read)).collect::<Vec<_>>()
    };
    let data = "樟树市数据局";
    for (code, name, document_name) in [
        ("ZS-DATA", data, data),
        ("ZS-DATA", "数据局", data),
        ("", "樟树市大数据局", data),
        ("", "", data),
        ("", "本机关", data),
        ("ZS-DATA", data, ""),
        ("XX-1", "", "樟树市水务局"),
        ("", "樟树市发改局", "樟树市发展和改革局"),
    ] {
        assert_eq!(
            told(code, name, document_name, 2023),
            Vec::<String>::new(),
            "{code} {name} {document_name}"
        );
    }
    assert_eq!(told("", data, "樟树市人民政府", 2023), ["agency 樟树市数据局 樟树市人民政府"]);
    assert_eq!(told("ZS", "", data, 2023), ["agency_code ZS ZS-DATA"]);
    assert_eq!(told("XX-1", "", data, 2022), ["agency_code XX-1 ZS-DATA", "year 2022 2023"]);
    let unlisted = AgencyKey::provisional("青溪市水务局", Region::UNKNOWN);
    let code = format!("agency_code ZS-DATA {unlisted}");
    assert_eq!(told("ZS-DATA", data, "青溪市水务局", 0), ["agency 樟树市数据局 青溪市水务局", code.as_str()]);
}

#[test]
fn an_old_name_holds_until_the_report_on_its_last_year() {
    let registry = list();
    let of_year = |year| code(&registry, &Asked { year, ..asked("樟树市大数据局", "360982") });
    assert_eq!(
        (of_year(2022), of_year(2024), of_year(2025)),
        ("ZS-DATA".into(), "ZS-DATA".into(), "unknown".into())
    );
}

#[test]
fn profiles_take_what_the_list_says_and_else_what_the_name_tells() {
    let registry = list();
    let profile = |code| registry.get(&AgencyKey::from_code(code).unwrap()).unwrap().profile();
    assert_eq!(
        (profile("ZS").level, profile("ZS").kind),
        (Some(Level::County), Some(AgencyKind::Government))
    );
    assert_eq!(profile("ZS").site_domain.as_deref(), Some("zhangshu.gov.cn"));
    assert_eq!(
        (profile("ZS-LJ").level, profile("ZS-LJ").kind),
        (Some(Level::Town), Some(AgencyKind::Outpost))
    );
    assert_eq!(profile("NC-CZ").region, "360100".parse::<Region>().unwrap());
    assert_eq!(
        registry.get(&AgencyKey::from_code("ZS").unwrap()).unwrap().channel.as_deref(),
        Some("county-office")
    );
    let children: Vec<&str> =
        registry.children(&AgencyKey::from_code("ZS").unwrap()).iter().map(AgencyKey::as_str).collect();
    assert_eq!(children, ["ZS-DATA", "ZS-LJ"]);
}

#[test]
fn a_deadline_is_the_listed_one_or_the_laws() {
    let list = "code,name,level,kind,deadline
A,云溪县水务局,county,department,
B,云溪县人民政府,county,government,
C,云溪县人民政府办公室,county,office,
D,云溪县石桥镇人民政府,,,
E,云溪县鹿江街道办事处,,,
F,云溪县青石镇人民政府,,,01-20
G,云溪县水文局,county,department,01-15
H,某协会,,,
I,某地区行政公署,prefecture,outpost,
J,云溪县机关服务中心,county,institution,
";
    let registry = read_csv(list.as_bytes()).unwrap();
    let due: Vec<String> = registry
        .iter()
        .map(|agency| {
            let day = agency.due_on().map_or("none".to_owned(), |day| day.to_string());
            format!("{} {day} {}", agency.code, agency.is_due_locally())
        })
        .collect();
    let expected = [
        "A 01-31 false",
        "B 03-31 false",
        "C 03-31 false",
        "D none true",
        "E none true",
        "F 01-20 true",
        "G 01-15 false",
        "H none false",
        "I none true",
        "J 01-31 false",
    ];
    assert_eq!(due, expected);
}

#[test]
fn gb18030_reads_like_utf_8_and_what_is_written_reads_back() {
    let (gb, _, failed) = encoding_rs::GB18030.encode(LIST);
    assert!(!failed);
    let (a, b) = (list(), read_csv(&gb).unwrap());
    assert!(a.iter().eq(b.iter()));
    let again = read_csv(write_csv(&a).as_bytes()).unwrap();
    assert!(a.iter().eq(again.iter()), "{}", write_csv(&a));
    let with_bom = read_csv(format!("\u{feff}{LIST}").as_bytes()).unwrap();
    assert_eq!(with_bom.len(), 6);
}

#[test]
fn a_list_with_a_mistake_is_refused_with_its_line() {
    let error = |text: &str| read_csv(text.as_bytes()).unwrap_err().to_string();
    let head = "code,name,parent,level,aliases\n";
    assert_eq!(error("代码\nA\n"), "line 1: there is no column name");
    assert_eq!(
        error(&format!("{head}A,甲\n,乙\n")),
        "line 3: code \"\" is not 1 to 64 letters, digits, - or _"
    );
    assert_eq!(error(&format!("{head}A,\n")), "line 2: the name is missing");
    assert_eq!(error(&format!("{head}A,甲,,高\n")), "line 2: level \"高\" is not known");
    assert_eq!(error(&format!("{head}A,甲,,,乙@2023\n")), "line 2: the days \"2023\" lack ..");
    let head = "code,name,deadline,contact,channel\n";
    assert_eq!(
        error(&format!("{head}A,甲,02-30\n")),
        "line 2: deadline \"02-30\" is not a day of every year: write MM-DD, such as 01-31"
    );
    let long = "电".repeat(201);
    assert_eq!(
        error(&format!("{head}A,甲,,{long}\n")),
        "line 2: the contact has 201 characters: use at most 200"
    );
    assert_eq!(
        error(&format!("{head}A,甲,,,County Office\n")),
        "line 2: channel \"County Office\" is no name of a subscription: use 1 to 32 of a-z, 0-9 and -"
    );
    let head = "code,name,parent,level,aliases\n";
    assert_eq!(error(&format!("{head}A,甲\nA,乙\n")), "code A stands twice");
    assert_eq!(error(&format!("{head}A,甲,B\n")), "A stands under B, which is not listed");
    assert_eq!(error(&format!("{head}A,甲,B\nB,乙,A\n")), "A stands above itself");
    assert!(matches!(read_csv(b"code,name\n\"A"), Err(TableError::Line { .. })));
}

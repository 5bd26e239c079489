//! One office, which publishes, corrects, publishes earlier contents again, and withdraws. Steps are sequential, and
//! each is repeated until it is accepted, so that the last step determines which content is current.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use fastrand::Rng;
use serde_json::json;

use crate::{http, samples};

/// Time between two attempts of a step.
const RETRY: Duration = Duration::from_millis(200);
/// A step that is not accepted within this time is a violation.
const PATIENCE: Duration = Duration::from_secs(120);
const YEAR: i32 = 2023;

/// A step of an office.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Publishes one of a few contents. Odd ones have a wrong total.
    Publish(u32),
    /// Withdraws the report by its address.
    WithdrawAddress,
    /// Withdraws the report by agency and year.
    WithdrawReport,
    /// Submits a document that is not an annual report.
    OtherDocument,
    /// Submits a document that no reader can read within its limits.
    HostileDocument,
}

/// A step that ingest accepted.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The office's name.
    pub office: String,
    /// The step.
    pub step: Step,
    /// The id on the receipt.
    pub submission: String,
}

/// The steps of an office, in order.
#[derive(Debug, Clone)]
pub struct Record {
    /// The office's name.
    pub office: String,
    /// The address at which the office publishes.
    pub address: String,
    /// Steps that were accepted.
    pub accepted: Vec<Accepted>,
    /// The content that is current at the end; `None` after a withdrawal, or if nothing was published.
    pub stands: Option<Vec<u8>>,
    /// Steps that were not accepted in time.
    pub refused: Vec<String>,
}

/// A working office.
#[derive(Debug)]
pub struct Office {
    number: usize,
    seed: u64,
    rng: Rng,
}

impl Office {
    /// Creates an office of a run.
    #[must_use]
    pub fn new(seed: u64, number: usize) -> Self {
        let own = seed.wrapping_mul(1_000_003).wrapping_add(u64::try_from(number).unwrap_or_default());
        Self { number, seed, rng: Rng::with_seed(own) }
    }

    /// Returns the office's name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("云溪县第{}街道办事处", self.number + 1)
    }

    fn address(&self) -> String {
        format!("https://www.yunxi.example/art/{}.html", self.number)
    }

    /// Takes steps until the time is over.
    pub async fn work(mut self, doors: Arc<[String]>, until: Instant) -> Record {
        let mut record = Record {
            office: self.name(),
            address: self.address(),
            accepted: Vec::new(),
            stands: None,
            refused: Vec::new(),
        };
        let mut count = 0;
        while Instant::now() < until {
            let step = self.draw();
            let id = format!("{}-{}-{count}", self.seed, self.number);
            count += 1;
            match self.take(step, &id, &doors).await {
                Ok(submission) => {
                    record.accepted.push(Accepted { office: self.name(), step, submission });
                    match step {
                        Step::Publish(content) => record.stands = Some(self.document(content)),
                        Step::WithdrawAddress | Step::WithdrawReport => record.stands = None,
                        Step::OtherDocument | Step::HostileDocument => {}
                    }
                }
                Err(last) => record.refused.push(format!("{} {step:?}: {last}", self.name())),
            }
            tokio::time::sleep(Duration::from_millis(self.rng.u64(100..900))).await;
        }
        record
    }

    fn draw(&mut self) -> Step {
        match self.rng.u32(0..20) {
            0..=13 => Step::Publish(self.rng.u32(0..4)),
            14 | 15 => Step::WithdrawAddress,
            16 | 17 => Step::WithdrawReport,
            18 => Step::OtherDocument,
            _ => Step::HostileDocument,
        }
    }

    /// Sends a step to one replica of ingest after the other until one accepts it. Returns the submission's id, or
    /// the last answer.
    async fn take(&mut self, step: Step, id: &str, doors: &[String]) -> Result<String, String> {
        let started = Instant::now();
        let mut last = String::new();
        while started.elapsed() < PATIENCE {
            let door = &doors[self.rng.usize(0..doors.len())];
            match http::answer(self.request(step, id, door).timeout(Duration::from_secs(20))).await {
                Ok(answer) if answer.status == 202 => {
                    let submission = answer.json["submission_id"].as_str();
                    return submission.map(str::to_owned).ok_or_else(|| answer.json.to_string());
                }
                Ok(answer) if answer.status < 500 && answer.status != 429 => {
                    return Err(format!("{} {}", answer.status, answer.json));
                }
                Ok(answer) => last = format!("{} {}", answer.status, answer.json),
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(RETRY).await;
        }
        Err(last)
    }

    fn request(&self, step: Step, id: &str, door: &str) -> reqwest::RequestBuilder {
        match step {
            Step::Publish(content) => {
                let url = format!("{door}/v1/reports?filename=report.txt&url={}", self.address());
                self.post(&url, "text/plain", id).body(self.document(content))
            }
            Step::OtherDocument => {
                let url = format!("{door}/v1/reports?filename=other.html");
                self.post(&url, "text/html", id).body(other_document(id))
            }
            Step::HostileDocument => {
                let url = format!("{door}/v1/reports?filename=hostile.pdf");
                self.post(&url, "application/pdf", id).body(hostile_document(id))
            }
            Step::WithdrawAddress => self.withdrawal(door, id, &json!({ "url": self.address() })),
            Step::WithdrawReport => {
                let data = json!({ "agency": { "name": self.name() }, "year": YEAR, "url": "https://www.yunxi.example/none.html" });
                self.withdrawal(door, id, &data)
            }
        }
    }

    #[expect(clippy::unused_self, reason = "reads as the office's own call")]
    fn post(&self, url: &str, media_type: &str, id: &str) -> reqwest::RequestBuilder {
        http::client().post(url).header("content-type", media_type).header("idempotency-key", id)
    }

    fn withdrawal(&self, door: &str, id: &str, data: &serde_json::Value) -> reqwest::RequestBuilder {
        let event = json!({
            "specversion": "1.0", "type": "gongkai.report.withdrawn.v1", "id": id, "source": "https://www.yunxi.example/cms",
            "subject": data["url"], "datacontenttype": "application/json", "data": data,
        });
        let url = format!("{door}/v1/events");
        self.post(&url, "application/cloudevents+json", id).body(event.to_string())
    }

    /// Returns one of the office's contents. Each is another document; odd ones have a wrong total.
    fn document(&self, content: u32) -> Vec<u8> {
        let file = if content % 2 == 1 {
            "02_tab_rows_wrong_total.txt"
        } else {
            "02_tab_rows_wrong_total_corrected.txt"
        };
        let all = samples::all();
        let sample = all.iter().find(|sample| sample.file == file).expect("the sample is there");
        let text = String::from_utf8(sample.bytes()).expect("the sample is UTF-8");
        let text = text.replace("云溪县自然资源局", &self.name());
        let text = text.replace("行政强制\t37", &format!("行政强制\t{}", 38 + content));
        text.into_bytes()
    }
}

/// Returns a page of another kind, different for each id.
fn other_document(id: &str) -> String {
    format!(
        "<html><head><title>通知公告</title></head><body><p>关于召开会议的通知（{id}）</p><p>各科室：请准时参加。</p></body></html>"
    )
}

/// Returns a PDF whose font has a width table for four billion characters, different for each id.
fn hostile_document(id: &str) -> Vec<u8> {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 7 0 R /Resources << /Font << /F1 4 0 R >> >> >>"
            .to_owned(),
        "<< /Type /Font /Subtype /Type0 /BaseFont /SimSun /Encoding /Identity-H /DescendantFonts [5 0 R] >>".to_owned(),
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /SimSun /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) \
         /Supplement 2 >> /FontDescriptor 6 0 R /W [0 4294967290 500] >>"
            .to_owned(),
        "<< /Type /FontDescriptor /FontName /SimSun /Flags 4 >>".to_owned(),
        "<< /Length 44 >>\nstream\nBT /F1 12 Tf 72 700 Td <00410042004300> Tj ET\nendstream".to_owned(),
    ];
    let mut pdf = format!("%PDF-1.7\n% {id}\n");
    let mut offsets = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        offsets.push(pdf.len());
        pdf += &format!("{} 0 obj\n{object}\nendobj\n", at + 1);
    }
    let table = pdf.len();
    pdf += &format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    pdf += &offsets.iter().map(|offset| format!("{offset:010} 00000 n \n")).collect::<String>();
    pdf += &format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1);
    pdf.into_bytes()
}

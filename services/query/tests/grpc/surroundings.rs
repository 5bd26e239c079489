//! The server around the services: health, reflection, gRPC-Web, tokens, limits.

use gongkai_proto::v1::{
    ListReportsRequest, ListReportsResponse, report_service_client::ReportServiceClient,
};
use gongkai_query::Config;
use gongkai_worker::Secret;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::{Code, Request};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::{v1, v1alpha};

use crate::harness::{Bench, SOON};

fn everything() -> ListReportsRequest {
    ListReportsRequest { parent: "agencies/-".into(), ..Default::default() }
}

#[tokio::test]
async fn health_follows_readiness() {
    let mut bench = Bench::start().await;
    let mut client = HealthClient::new(bench.channel().await);
    for service in ["", "gongkai.v1.ReportService"] {
        let request = HealthCheckRequest { service: service.into() };
        let mut stream = client.watch(request).await.unwrap().into_inner();
        let serving = async {
            loop {
                let status = stream.message().await.unwrap().expect("the stream goes on").status();
                if status == ServingStatus::Serving {
                    break;
                }
            }
        };
        timeout(SOON, serving).await.expect("it is serving in time");
    }
    let mut stream = client.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    bench.shutdown.cancel();
    assert_eq!(stream.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    // A health watch never ends by itself; it must not keep the process alive.
    bench.stop().await;
}

#[tokio::test]
async fn reflection_v1_lists_what_is_served_here() {
    use v1::server_reflection_client::ServerReflectionClient;
    use v1::server_reflection_request::MessageRequest;
    use v1::server_reflection_response::MessageResponse;
    let bench = Bench::start().await;
    let mut client = ServerReflectionClient::new(bench.channel().await);
    let request = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers =
        client.server_reflection_info(tokio_stream::iter([request])).await.unwrap().into_inner();
    match answers.message().await.unwrap().unwrap().message_response.unwrap() {
        MessageResponse::ListServicesResponse(list) => {
            let names: Vec<_> = list.service.iter().map(|s| s.name.as_str()).collect();
            assert!(names.contains(&"gongkai.v1.ReportService"), "{names:?}");
            assert!(names.contains(&"grpc.health.v1.Health"), "{names:?}");
            assert!(!names.contains(&"gongkai.v1.SubmissionService"), "{names:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn reflection_v1alpha_describes_the_service() {
    use v1alpha::server_reflection_client::ServerReflectionClient;
    use v1alpha::server_reflection_request::MessageRequest;
    use v1alpha::server_reflection_response::MessageResponse;
    let bench = Bench::start().await;
    let mut client = ServerReflectionClient::new(bench.channel().await);
    let symbol = "gongkai.v1.ReportService".to_owned();
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::FileContainingSymbol(symbol)),
    };
    let mut answers =
        client.server_reflection_info(tokio_stream::iter([request])).await.unwrap().into_inner();
    match answers.message().await.unwrap().unwrap().message_response.unwrap() {
        MessageResponse::FileDescriptorResponse(files) => {
            let file = prost_types::FileDescriptorProto::decode(&*files.file_descriptor_proto[0]).unwrap();
            let methods: Vec<_> = file.service[0].method.iter().map(|m| m.name().to_owned()).collect();
            assert!(methods.contains(&"WatchReports".to_owned()), "{methods:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_browser_reaches_it_over_http_1() {
    let mut bench = Bench::start().await;
    bench.validate("agencies/361001/reports/2023", "aa", 2).await;
    bench.projected().await;
    let message = everything().encode_to_vec();
    let mut body = vec![0, 0, 0, 0, u8::try_from(message.len()).unwrap()];
    body.extend(message);
    let host = bench.address.strip_prefix("http://").unwrap();
    let head = format!(
        "POST /gongkai.v1.ReportService/ListReports HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let mut answer = Vec::new();
    timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(text.contains("content-type: application/grpc-web+proto"), "{text}");
    assert!(text.contains("grpc-status:0") && text.contains("361001"), "{text}");
}

#[tokio::test]
async fn a_token_is_asked_for_where_there_is_one() {
    let config = Config { tokens: vec![Secret::new("open-sesame-for-tests")], ..Config::default() };
    let bench = Bench::start_with(config).await;
    let channel = bench.channel().await;
    let status = ReportServiceClient::new(channel.clone()).list_reports(everything()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let mut client = ReportServiceClient::with_interceptor(channel.clone(), |mut request: Request<()>| {
        request.metadata_mut().insert("authorization", "Bearer open-sesame-for-tests".parse().unwrap());
        Ok(request)
    });
    let answer: ListReportsResponse = client.list_reports(everything()).await.unwrap().into_inner();
    assert!(answer.reports.is_empty());
    // Probes have no tokens.
    assert!(HealthClient::new(channel).check(HealthCheckRequest::default()).await.is_ok());
}

#[tokio::test]
async fn an_oversized_question_is_refused() {
    let bench = Bench::start().await;
    let request = ListReportsRequest { filter: "x".repeat(100_000), ..everything() };
    let status = bench.client().await.list_reports(request).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
}

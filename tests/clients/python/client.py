#!/usr/bin/env python3
"""A publishing system and a querying system in one file, written against the public interfaces only.

    client.py run --ingest http://127.0.0.1:8080 --query 127.0.0.1:50051 --count 200

sends distinct reports as CloudEvents (structured and binary in turn), waits until every submission is final, reads all
of them back over gRPC through server reflection (no generated code), and prints one JSON object.

    client.py doors --ingest http://127.0.0.1:8080 --submissions 127.0.0.1:50052 --nats nats://127.0.0.1:4222 \\
        --site wangjiang --secret whsec_… --token …

sends reports of a site with credentials through every interface: signed HTTP (the standardwebhooks package), requests on
NATS (nats-py) in structured and in binary mode, gRPC through reflection, and curl. It sends each call twice, and calls
that must be refused.

Exit code 1 if anything is missing, doubled or wrong.
"""

import argparse
import asyncio
import base64
import collections
import concurrent.futures
import datetime
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid

import grpc
import nats
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from google.protobuf import descriptor_pool, json_format, message_factory
from standardwebhooks.webhooks import Webhook
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

FINAL = {"validated", "rejected", "withdrawn", "unchanged", "dead"}
RUN = uuid.uuid4().hex[:8]


def report(number: int) -> str:
    """A plain-text report of a made-up office, with numbers of its own; every seventh is no report at all."""
    if number % 7 == 6:
        return f"关于召开第{number}次工作会议的通知\n请各科室按时参加。\n"
    n = number + 2
    applicants = [n, n + 1, n + 2, n + 3, n + 4, n + 5]
    total = sum(applicants)
    row = lambda label, cells: "\t".join([label, *map(str, cells)])
    zeros = [0] * 7
    leaves = [
        "1.属于国家秘密", "2.其他法律行政法规禁止公开", "3.危及“三安全一稳定”", "4.保护第三方合法权益",
        "5.属于三类内部事务信息", "6.属于四类过程性信息", "7.属于行政执法案卷", "8.属于行政查询事项",
        "1.本机关不掌握相关政府信息", "2.没有现成信息需要另行制作", "3.补正后申请内容仍不明确",
        "1.信访举报投诉类申请", "2.重复申请", "3.要求提供公开出版物", "4.无正当理由大量反复申请",
        "5.要求行政机关确认或重新出具已获取信息",
        "1.申请人无正当理由逾期不补正、行政机关不再处理其政府信息公开申请",
        "2.申请人逾期未按收费通知要求缴纳费用、行政机关不再处理其政府信息公开申请", "3.其他",
    ]
    disputes = [number + 1, number + 2, number + 3, number + 4]
    block = [*disputes, sum(disputes)]
    return "\n".join([
        f"望江县第{number}办公室2023年政府信息公开工作年度报告",
        "",
        f"本报告依据国办公开办函〔2021〕30号要求，由望江县第{number}办公室编制。统计期限自2023年1月1日起至2023年12月31日止。",
        "一、总体情况",
        f"全年新收政府信息公开申请{total}件，均按期答复。",
        "二、主动公开政府信息情况",
        row("信息内容", ["本年制发件数", "本年废止件数", "现行有效件数"]),
        row("规章", [n, n + 6, n + 7]),
        row("行政规范性文件", [n + 8, n + 9, n + 10]),
        row("信息内容", ["本年处理决定数量"]),
        row("行政许可", [n + 11]),
        row("信息内容", ["本年处理决定数量"]),
        row("行政处罚", [n + 12]),
        row("行政强制", [n + 13]),
        row("信息内容", ["本年收费金额（单位：万元）"]),
        row("行政事业性收费", [f"{n + 14}.5"]),
        "三、收到和处理政府信息公开申请情况",
        row("（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）", ["申请人情况"]),
        row("", ["自然人", "商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他", "总计"]),
        row("一、本年新收政府信息公开申请数量", [*applicants, total]),
        row("二、上年结转政府信息公开申请数量", zeros),
        row("（一）予以公开", [*applicants, total]),
        row("（二）部分公开（区分处理的，只计这一情形，不计其他情形）", zeros),
        *[row(leaf, zeros) for leaf in leaves],
        row("（七）总计", [*applicants, total]),
        row("四、结转下年度继续办理", zeros),
        "四、政府信息公开行政复议、行政诉讼情况",
        row("行政复议", ["行政诉讼"]),
        "\t".join(["结果维持", "结果纠正", "其他结果", "尚未审结", "总计"] * 3),
        "\t".join(map(str, block * 3)),
        "五、存在的主要问题及改进情况",
        "存在的主要问题是解读形式单一；改进措施是增加图表和问答，按月检查栏目更新。",
        "六、其他需要报告的事项",
        "本年度未收取信息处理费，无其他需要报告的事项。",
        "",
    ])


def event(number: int) -> tuple[dict, bytes]:
    """Headers and body of one CloudEvent: structured and binary in turn, documents by base64, by text and as the body."""
    attributes = {
        "type": "gongkai.report.published.v1",
        "source": "https://www.wangjiang.example/cms",
        "id": f"{RUN}-{number}",
        "subject": f"https://www.wangjiang.example/art/{number}.html",
    }
    text = report(number)
    if number % 3 == 2:
        attributes |= {"datacontenttype": "text/plain; charset=utf-8", "sitecode": "3408270001", "reportyear": "2023"}
        message = to_binary_event(CloudEvent(attributes, text.encode()))
    else:
        content = {"media_type": "text/plain", "charset": "utf-8"}
        if number % 3 == 0:
            content["text"] = text
        else:
            content["base64"] = base64.b64encode(text.encode()).decode()
        data = {"year": 2023, "url": attributes["subject"], "site": {"code": "3408270001"}, "content": content}
        attributes["datacontenttype"] = "application/json"
        message = to_structured_event(CloudEvent(attributes, data))
    return dict(message.headers), message.body


def call(request: urllib.request.Request, patience_s: float) -> dict:
    """Asks until it is answered; a refused connection or a 5xx is tried again with the same event, as a CMS would."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code < 500 or time.monotonic() > deadline:
                raise RuntimeError(f"{error.code}: {error.read().decode(errors='replace')}") from error
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def submit(ingest: str, number: int, patience_s: float) -> dict:
    headers, body = event(number)
    if isinstance(body, str):
        body = body.encode()
    request = urllib.request.Request(f"{ingest}/v1/events", data=body, headers=headers, method="POST")
    receipt = call(request, patience_s)
    assert len(receipt["trace_id"]) == 32, receipt
    return receipt


def settle(ingest: str, submission_id: str, patience_s: float) -> dict:
    deadline = time.monotonic() + patience_s
    while True:
        request = urllib.request.Request(f"{ingest}/v1/submissions/{submission_id}")
        try:
            receipt = call(request, patience_s)
        except RuntimeError:
            receipt = {"state": "unknown"}
        if receipt["state"] in FINAL or time.monotonic() > deadline:
            return receipt
        time.sleep(0.25)


class Service:
    """A service through server reflection, as a system without our .proto files would call it."""

    def __init__(self, target: str, name: str, metadata: tuple = ()):
        self.channel = grpc.insecure_channel(target)
        self.name, self.metadata = name, metadata
        database = ProtoReflectionDescriptorDatabase(self.channel)
        self.services = list(database.get_services())
        self.service = descriptor_pool.DescriptorPool(database).FindServiceByName(name)

    def call(self, method: str, **fields):
        descriptor = self.service.FindMethodByName(method)
        request = message_factory.GetMessageClass(descriptor.input_type)
        answer = message_factory.GetMessageClass(descriptor.output_type)
        stub = self.channel.unary_unary(
            f"/{self.name}/{method}",
            request_serializer=request.SerializeToString,
            response_deserializer=answer.FromString,
        )
        return json_format.MessageToDict(
            stub(request(**fields), timeout=20, wait_for_ready=True, metadata=self.metadata), preserving_proto_field_name=True
        )


class Reports(Service):
    def __init__(self, target: str):
        super().__init__(target, "gongkai.v1.ReportService")

    def all(self) -> list[dict]:
        reports, token = [], ""
        while True:
            page = self.call("ListReports", parent="agencies/-", page_size=64, page_token=token)
            reports += page.get("reports", [])
            token = page.get("next_page_token", "")
            if not token:
                return reports


def expected(numbers: range) -> collections.Counter:
    return collections.Counter("rejected" if n % 7 == 6 else "validated" for n in numbers)


def run(arguments: argparse.Namespace) -> int:
    numbers = range(arguments.count)
    with concurrent.futures.ThreadPoolExecutor(arguments.clients) as pool:
        receipts = list(pool.map(lambda n: submit(arguments.ingest, n, arguments.patience), numbers))
        print(f"accepted {len(receipts)}", file=sys.stderr, flush=True)
        ids = [receipt["submission_id"] for receipt in receipts]
        final = list(pool.map(lambda i: settle(arguments.ingest, i, arguments.patience), ids))
    states = collections.Counter(receipt["state"] for receipt in final)
    trouble = []
    if len(set(ids)) != arguments.count:
        trouble.append(f"{arguments.count} submissions have {len(set(ids))} ids")
    if states != expected(numbers):
        trouble.append(f"states {dict(states)}, expected {dict(expected(numbers))}")
    wanted = {r["report"] for r in final if r["state"] == "validated"}
    served = wait_for_reports(arguments, wanted, trouble)
    print(json.dumps({"accepted": len(receipts), "states": states, "served": served, "trouble": trouble}))
    return 1 if trouble else 0


def wait_for_reports(arguments: argparse.Namespace, wanted: set, trouble: list) -> int:
    """The read model follows the log; what it must end with is every validated report, once."""
    deadline = time.monotonic() + arguments.patience
    while True:
        try:
            reports = Reports(arguments.query)
            names = collections.Counter(r["name"] for r in reports.all() if r["name"] in wanted)
            if set(names) == wanted or time.monotonic() > deadline:
                break
        except grpc.RpcError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.5)
    if set(names) != wanted or any(count != 1 for count in names.values()):
        trouble.append(f"{len(wanted)} validated, {len(names)} served")
    for name in sorted(wanted)[:3]:
        full = reports.call("GetReport", name=name)
        if len(full.get("facts", [])) != 200 or full["revision"] != 1:
            trouble.append(f"{name}: {len(full.get('facts', []))} facts, revision {full.get('revision')}")
    return len(names)


def structured(number: int, **attributes) -> tuple[dict, bytes]:
    """Headers and body of an event. The SDK gives it the present time."""
    data = {"year": 2023, "content": {"media_type": "text/plain", "text": report(number)}}
    attributes = {
        "type": "gongkai.report.published.v1",
        "source": "https://www.wangjiang.example/cms",
        "id": f"{RUN}-{number}",
        "subject": f"https://www.wangjiang.example/art/{number}.html",
        "datacontenttype": "application/json",
    } | attributes
    message = to_structured_event(CloudEvent(attributes, data))
    return dict(message.headers), message.body if isinstance(message.body, bytes) else message.body.encode()


def post(url: str, headers: dict, body: bytes) -> tuple[int, dict]:
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


class Doors:
    """Sends through every interface, and notes what is wrong."""

    def __init__(self, arguments: argparse.Namespace):
        self.arguments, self.accepted, self.trouble = arguments, [], []

    def expect(self, what: str, answer, wanted) -> None:
        if answer != wanted:
            self.trouble.append(f"{what}: {answer}, expected {wanted}")

    def twice(self, what: str, send) -> None:
        """The same call again has the same receipt."""
        (status, first), (_, again) = send(), send()
        self.expect(what, status, 202)
        self.expect(f"{what}, again", again.get("submission_id"), first.get("submission_id", "none"))
        if "submission_id" in first:
            self.accepted.append(first["submission_id"])
        else:
            self.trouble.append(f"{what}: {first}")

    def signed(self) -> None:
        """Standard Webhooks by its own library: good, forged and stale, and other content under an id."""
        url, hook = f"{self.arguments.ingest}/v1/events", Webhook(self.arguments.secret)

        def headers(message: dict, body: bytes, at: datetime.datetime, signer: Webhook = hook) -> dict:
            signature = signer.sign(f"msg-{RUN}", at, body.decode())
            stamp = str(int(at.timestamp()))
            return message | {"webhook-id": f"msg-{RUN}", "webhook-timestamp": stamp, "webhook-signature": signature}

        now = datetime.datetime.now(tz=datetime.timezone.utc)

        def send() -> tuple[int, dict]:
            message, body = structured(0)
            return post(url, headers(message, body, now), body)

        self.twice("signed event", send)
        message, body = structured(1)
        forger = Webhook("whsec_" + base64.b64encode(b"some other secret, 24 B.").decode())
        for what, headers_, code in [
            ("unsigned", message, "UNAUTHENTICATED"),
            ("forged", headers(message, body, now, forger), "BAD_SIGNATURE"),
            ("stale", headers(message, body, now - datetime.timedelta(hours=1)), "STALE_SIGNATURE"),
            ("of another body", headers(message, body + b" ", now), "BAD_SIGNATURE"),
        ]:
            status, problem = post(url, headers_, body)
            self.expect(f"event {what}", (status, problem.get("code")), (401, code))
        message, body = structured(7, id=f"{RUN}-0")
        status, mended = post(url, headers(message, body, now), body)
        self.expect("other content under the id", (status, mended.get("supersedes")), (202, self.accepted[0]))
        self.accepted.append(mended.get("submission_id"))

    async def requests(self) -> None:
        """Requests on NATS: the subject names the site, the reply is the receipt or the problem."""
        broker = await nats.connect(self.arguments.nats)
        subject = f"gongkai.v1.cms.{self.arguments.site}"

        async def ask(body: bytes, headers: dict | None = None, subject: str = subject) -> tuple[int, dict]:
            reply = await broker.request(subject, body, timeout=20, headers=headers)
            return int(reply.headers["status"]), json.loads(reply.data)

        async def twice(what: str, body: bytes, headers: dict | None = None) -> None:
            answers = [await ask(body, headers), await ask(body, headers)]
            self.twice(what, lambda: answers.pop(0))

        headers, body = structured(2)
        await twice("structured request", body, {"content-type": headers["content-type"]})
        _, body = structured(3)
        await twice("request without headers", body)
        attributes = {
            "type": "gongkai.report.published.v1",
            "source": "https://www.wangjiang.example/cms",
            "id": f"{RUN}-4",
            "datacontenttype": "text/plain; charset=utf-8",
            "reportyear": "2023",
        }
        message = to_binary_event(CloudEvent(attributes, report(4).encode()))
        await twice("binary request", message.body, dict(message.headers))
        status, problem = await ask(b"{")
        self.expect("malformed request", (status, problem.get("code")), (400, "MALFORMED_JSON"))
        status, problem = await ask(structured(5)[1], subject="gongkai.v1.cms.nobody")
        self.expect("request of an unknown site", (status, problem.get("code")), (401, "UNAUTHENTICATED"))
        await broker.close()

    def calls(self) -> None:
        """gRPC through reflection, in the site's name by its token."""
        token = (("authorization", f"Bearer {self.arguments.token}"),)
        service = Service(self.arguments.submissions, "gongkai.v1.SubmissionService", token)
        fields = {"content": report(8).encode(), "media_type": "text/plain", "year": 2023, "request_id": f"{RUN}-8"}
        self.twice("gRPC call", lambda: (202, service.call("Submit", **fields)))
        try:
            service.call("Submit", **fields | {"content": report(9).encode()})
            self.trouble.append("gRPC: other content under a request id was taken")
        except grpc.RpcError as error:
            self.expect("gRPC, other content", error.code(), grpc.StatusCode.ALREADY_EXISTS)
        known = service.call("GetSubmission", submission_id=self.accepted[-1])
        self.expect("gRPC GetSubmission", known["submission_id"], self.accepted[-1])

    def curl(self) -> None:
        """A document by curl, with the site's token."""
        token = f"authorization: Bearer {self.arguments.token}"

        def send() -> tuple[int, dict]:
            command = ["curl", "-sS", "-w", "\n%{http_code}", "-H", token, "-H", "content-type: text/plain"]
            command += ["-H", f"idempotency-key: {RUN}-10", "--data-binary", "@-"]
            url = f"{self.arguments.ingest}/v1/reports?year=2023&filename=report.txt"
            done = subprocess.run([*command, url], input=report(10).encode(), capture_output=True, check=True)
            answer, status = done.stdout.decode().rsplit("\n", 1)
            return int(status), json.loads(answer)

        self.twice("curl", send)

    def settled(self) -> None:
        """Every submission is validated. Status queries need credentials as well."""
        for submission in self.accepted:
            deadline, state = time.monotonic() + self.arguments.patience, None
            while state not in FINAL and time.monotonic() < deadline:
                headers = {"authorization": f"Bearer {self.arguments.token}"}
                url = f"{self.arguments.ingest}/v1/submissions/{submission}"
                state = call(urllib.request.Request(url, headers=headers), self.arguments.patience)["state"]
                time.sleep(0.1)
            self.expect(submission, state, "validated")


def doors(arguments: argparse.Namespace) -> int:
    doors = Doors(arguments)
    doors.signed()
    asyncio.run(doors.requests())
    doors.calls()
    doors.curl()
    doors.expect("distinct submissions", len(set(doors.accepted)), 7)
    doors.settled()
    print(json.dumps({"accepted": len(doors.accepted), "trouble": doors.trouble}, ensure_ascii=False))
    return 1 if doors.trouble else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run", "doors"])
    parser.add_argument("--ingest", required=True, help="base URL of ingest")
    parser.add_argument("--query", help="run: host:port of query")
    parser.add_argument("--submissions", help="doors: host:port of ingest's gRPC side")
    parser.add_argument("--nats", help="doors: URL of the broker")
    parser.add_argument("--site", help="doors: name of the site in the configuration")
    parser.add_argument("--secret", help="doors: its secret")
    parser.add_argument("--token", help="doors: its token")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--clients", type=int, default=8, help="submissions in flight")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds before giving up on one step")
    arguments = parser.parse_args()
    return run(arguments) if arguments.command == "run" else doors(arguments)


if __name__ == "__main__":
    sys.exit(main())

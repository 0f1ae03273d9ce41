#!/usr/bin/env python3
"""Runs the test vectors of this folder for hmac, aksk, v11 and sigv4: python3 verify.py [folder]
The verifier follows docs/protocols.md, and README.md of this folder for the order of the
checks. Text is latin-1, one character for each byte. It is made for these files, not for a server."""
import base64, datetime, functools, hashlib, hmac, json, pathlib, re, sys

SDK = {"token": "SDK-HMAC-SHA256", "field": "Access", "name": "X-Sdk-", "session": "x-security-token", "query": True}
SCHEMES = {
    "hmac": SDK,
    "aksk": {**SDK, "field": "Credential", "end": ["sdk_request"], "seed": "SDK"},
    "v11": {**SDK, "token": "V11-HMAC-SHA256", "field": "Credential", "end": [], "query": False},
    "sigv4": {"token": "AWS4-HMAC-SHA256", "field": "Credential", "name": "X-Amz-", "session": "x-amz-security-token", "query": True,
              "end": ["aws4_request"], "seed": "AWS4"},
}
HOP = "authorization connection keep-alive proxy-authorization proxy-connection te trailer transfer-encoding upgrade".split()
OVERRIDES = ("x-http-method-override", "x-method-override", "x-http-method")
DIGESTS = ("x-sdk-content-sha256", "x-sdk-content-sm3", "x-amz-content-sha256")
KNOWN = set("""name comment at key policy request requests code identity canonical_request string_to_sign clock_skew max_body
    require_signed allow_unsigned_payload allow_presigned rewrite""".split())
QUERY = ("Algorithm", "Credential", "Signature", "Date", "Expires", "SignedHeaders")
def need(condition, code):
    if not condition: raise ValueError(code)
def sha256(text): return hashlib.sha256(text.encode("latin-1")).hexdigest()
def mac(key, text): return hmac.new(key if isinstance(key, bytes) else key.encode(), text.encode("latin-1"), "sha256").digest()
def decode(text): return re.sub("%([0-9A-Fa-f]{2})", lambda m: chr(int(m[1], 16)), text)
def encode(text, keep=""): return re.sub(f"[^A-Za-z0-9._~{keep}-]", lambda m: f"%{ord(m[0]):02X}", text)

class Request:
    def __init__(self, raw, rewrite):
        head, _, rest = raw.decode("latin-1").partition("\r\n\r\n")
        line, *lines = head.split("\r\n")
        self.method, target, _ = line.split(" ")
        self.headers = [(name.lower(), value.strip(" \t")) for name, _, value in (text.partition(":") for text in lines)]
        self.length, self.body, self.whole = 0, "", True
        if self.header("transfer-encoding"):
            self.length = None
            while size := int((chunk := rest.partition("\r\n"))[0], 16):
                self.body, rest = self.body + chunk[2][:size], chunk[2][size + 2:]
        elif announced := self.header("content-length"):
            self.length = int(announced[0])
            self.body, self.whole = rest[:self.length], len(rest) >= self.length
        self.headers = [(n, rewrite.get("host", v) if n == "host" else v) for n, v in self.headers]
        self.path, _, self.query = (rewrite.get("add_prefix", "") + target).partition("?")
        pairs = [piece.replace("+", " ").partition("=") for piece in self.query.split("&") if piece]
        self.pairs = [(decode(name), decode(value)) for name, _, value in pairs]
    def header(self, name): return [v for n, v in self.headers if n == name]
    def parameter(self, name): return [v for n, v in self.pairs if n == name]

def from_header(r, s, c):
    token, *rest = re.split("[ \t]+", r.header("authorization")[0], maxsplit=1)
    pieces = [piece.strip(" \t").partition("=") for piece in (rest or [""])[0].split(",")]
    fields = {name: value for name, _, value in pieces}
    whole = len(pieces) == 3 and set(fields) in ({"SignedHeaders", "Signature", id} for id in ("Access", "Credential"))
    whole = whole and all(v or n == "SignedHeaders" for n, v in fields.items()) and len(r.header("authorization")[0]) <= 8192
    ours = token == s["token"] and (not whole or s["field"] in fields)
    need(ours or token.lower() != "bearer" and "=" not in "".join(rest), "scheme_not_accepted")
    need(ours and whole, "credential_malformed")
    name, dates = s["name"].lower() + "date", r.header(s["name"].lower() + "date")
    if s is SCHEMES["sigv4"] and not dates:
        name, dates = "date", r.header("date")
        if match := re.fullmatch(r"(\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d) (GMT|[+-]0000)", (dates + [""])[0]):
            date = datetime.datetime.strptime(match[1], "%a, %d %b %Y %H:%M:%S")
            dates[0] = date.strftime("%Y%m%dT%H%M%SZ") if date.strftime("%a") == match[1][:3] else ""
    need(len(dates) == 1, "credential_malformed")
    c.update(id=fields[s["field"]], signature=fields["Signature"], listed=fields["SignedHeaders"], date_header=name, date=dates[0])

def from_query(r, s, c):
    values, aws, lower = {n: r.parameter(s["name"] + n) for n in QUERY}, s is SCHEMES["sigv4"], [n.lower() for n, _ in r.pairs]
    need(s["query"] and (any(values[n] for n in QUERY[:3]) if aws else s["token"] in values["Algorithm"]), "credential_missing")
    for name in [s["name"] + n for n in QUERY + (("Security-Token", "Content-Sha256") if aws else ())]:
        exact = len(r.parameter(name)) == lower.count(name.lower()) and not (r.parameter(name) and r.header(name.lower()))
        need(lower.count(name.lower()) <= 1 and (exact or name.endswith("Sha256")), "request_ambiguous")
    need(all(v and v[0] for v in values.values()), "credential_malformed")
    need(values["Algorithm"] == [s["token"]], "scheme_not_accepted")
    id, signature, date, expires, listed = [values[n][0] for n in QUERY[1:]]
    need(re.fullmatch("[1-9][0-9]{0,5}", expires) and int(expires) <= 604800, "credential_malformed")
    c.update(id=id, signature=signature, listed=listed, date=date, expires=int(expires), presigned=True, date_header="")

def parse(r, s, policy, keys):
    """Steps 1 and 2 of README.md, without the end: returns the credential and its key."""
    names, aws, escape = [n for n, _ in r.headers], s is SCHEMES["sigv4"], "%(?![0-9A-Fa-f]{2})"
    for name, dashed in ((n, n.replace("_", "-")) for n in names):
        once = name == dashed and names.count(name) == 1
        need(once or not dashed.startswith(("x-sdk-", "x-amz-")) and dashed != "authorization", "request_ambiguous")
    need(r.path[0] == "/" and not re.search(f"{escape}|%00|%0[AaDd]", r.path), "request_ambiguous")
    need(not re.search(escape, r.query) and all(n for n, _ in r.pairs) and len(r.pairs) <= 1024, "request_ambiguous")
    marks = r.header("authorization") and any(r.parameter(p + n) for p in ("X-Sdk-", "X-Amz-") for n in QUERY[:3])
    need(not marks, "request_ambiguous")
    c = {"presigned": False, "scope": []}
    (from_header if r.header("authorization") else from_query)(r, s, c)
    need(re.fullmatch("[0-9a-f]{64}", c["signature"]) and re.fullmatch(r"\d{8}T\d{6}Z", c["date"]), "credential_malformed")
    c["at"] = datetime.datetime.strptime(c["date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
    c["list"] = c["listed"].split(";") if c["listed"] else []
    good = all(c["list"]) and c["listed"] == c["listed"].lower() and c["list"] == sorted(set(c["list"])) and len(c["list"]) <= 64
    if "end" in s:
        c["id"], *c["scope"] = c["id"].split("/")
        good = good and all([c["id"], *c["scope"]]) and c["scope"][2:] and c["scope"][0] == c["date"][:8] and c["scope"][3:] == s["end"]
    need(good, "credential_malformed")
    digest = s["name"].lower() + "content-sha256"
    c["declared"] = r.header(digest) * (digest in c["list"]) + [v for n, v in r.pairs if n.lower() == digest and c["presigned"] and aws]
    for value in c["declared"]:
        need(not value.startswith("STREAMING-"), "payload_unsupported")
        need(value == "UNSIGNED-PAYLOAD" or re.fullmatch("[0-9a-f]{64}", value), "credential_malformed")
    need(not c["presigned"] or policy.get("allow_presigned"), "scheme_not_accepted")
    return c, next((k for k in keys if k["key"] == c["id"]), {})

def refuse_ambiguous(r, s, c, key):
    """The end of step 2: the canonical request hides what a router or a proxy sees."""
    segments, s3, aws, names = r.path[1:].split("/"), key.get("paths") == "s3", s is SCHEMES["sigv4"], [n for n, _ in r.headers]
    hidden = [e for e in re.findall("%..", r.path) if encode(decode(e)) == decode(e) or decode(e) in ("/" if s3 else "/\\")]
    need("" not in segments[:-1] if aws and not s3 else not hidden and not (s3 and "\\" in r.path), "request_ambiguous")
    need(";" not in r.query and (s3 or not {".", ".."} & set(segments)), "request_ambiguous")
    dropped = [n.strip(" \t").lower() for v in r.header("connection") for n in v.split(",")]
    dashes = [name.replace("_", "-") for name in c["list"]]
    need(not any(n not in c["list"] and n.replace("_", "-") in dashes for n in names), "request_ambiguous")
    need(not any(name in c["list"] for name in dropped), "request_ambiguous")

def canonical_requests(r, s, c, key):
    """Returns two where the vendor's SDKs sort the query differently."""
    s3, aws, headers = key.get("paths") == "s3", s is SCHEMES["sigv4"], ""
    path, kept = "/".join(encode(decode(segment)) for segment in r.path.split("/")), []
    path += "/" * (not aws and not path.endswith("/"))
    if aws and not s3:
        for segment in r.path.split("/"):
            kept = kept[:-1] if segment == ".." else kept + [segment] if segment not in ("", ".") else kept
        path = encode("/" + "/".join(kept + [""] * (kept != [] and r.path.endswith("/"))), "/")
    pairs = [p for p in r.pairs if not (c["presigned"] and p[0] == s["name"] + "Signature")]
    by_encoded = sorted((encode(n), encode(v)) for n, v in pairs)
    orders = [by_encoded] if aws else [[(encode(n), encode(v)) for n, v in sorted(pairs)], by_encoded]
    for name in c["list"]:
        values = [re.sub("[ \t]+", " ", v) if "seed" in s else v for v in r.header(name)]
        headers += "".join(f"{name}:{value}\n" for value in ([",".join(values)] if aws else sorted(values)))
    unsigned = c["presigned"] and s3 and re.match("s3(-|$)", key["service"])
    c["payload"] = (c["declared"] or ["UNSIGNED-PAYLOAD" if unsigned else sha256(r.body)])[0]
    return ["\n".join([r.method, path, "&".join(f"{n}={v}" for n, v in order), headers, c["listed"], c["payload"]]) for order in orders]

def sign(s, secret, c, text):
    if "seed" in s:
        secret = functools.reduce(mac, c["scope"], s["seed"] + secret)
    elif "end" in s:  # HKDF of one block
        secret = mac(mac(c["id"], secret), "/".join(c["scope"]) + "\x01").hex()
    return mac(secret, text).hex()

def judge(r, s, keys, v, seen):
    """Raises ValueError with the code, or returns the identity. seen gets what is computed."""
    policy, time, aws = v.get("policy", {}), datetime.datetime.fromisoformat, s is SCHEMES["sigv4"]
    c, key = parse(r, s, policy, keys)
    seen["canonical_request"] = canonical_requests(r, s, c, key)
    lines = [s["token"], c["date"], *filter(None, ["/".join(c["scope"])])]
    seen["string_to_sign"] = texts = ["\n".join([*lines, sha256(text)]) for text in seen["canonical_request"]]
    refuse_ambiguous(r, s, c, key)
    limit, skew = policy.get("max_body", 12582912), policy.get("clock_skew", 900)
    need((r.length or 0) <= limit, "body_too_large")
    need(key, "key_unknown")
    need(c["scope"][1:3] in ([], [key.get("region"), key.get("service")]), "signature_mismatch")
    age = (time(v["at"]) - c["at"]).total_seconds()
    need(age <= c.get("expires", skew), "signature_expired")
    need(age >= -skew, "signature_not_yet_valid")
    protocol = [n for n, _ in r.headers if n.startswith(s["name"].lower()) and n not in DIGESTS]
    required = [c["date_header"], *policy.get("require_signed", ["host"]), *OVERRIDES, *protocol]
    need(c["list"] and not any(r.header(n) and n not in c["list"] for n in required), "header_not_signed")
    need(all(n not in HOP and (r.header(n) or n == "content-length") for n in c["list"]), "header_not_signed")
    tokens = r.parameter("X-Amz-Security-Token") if aws and c["presigned"] else r.header(s["session"]) * (s["session"] in c["list"])
    need(tokens == [key["session_token"]] if "session_token" in key else not (aws and tokens), "signature_mismatch")
    unsigned, good = c["payload"] == "UNSIGNED-PAYLOAD", r.whole and (r.length is not None or r.body)
    need(not unsigned or policy.get("allow_unsigned_payload"), "payload_not_signed")
    need(good or unsigned or c["declared"], "body_mismatch")
    need(len(r.body) <= limit, "body_too_large")
    secrets = [key["secret"]] + [p["secret"] for p in key.get("previous", []) if time(v["at"]) < time(p["until"])]
    found = [i for i, secret in enumerate(secrets) for text in texts if hmac.compare_digest(sign(s, secret, c, text), c["signature"])]
    need(found, "signature_mismatch")
    need(key["name"] == v["key"], "key_not_bound")
    need(unsigned or good and c["payload"] == sha256(r.body), "body_mismatch")
    return {"key": key["name"], "key_id": key["key"], "algorithm": s["token"], "secret": found[0],
            "payload": "unsigned" if unsigned else "declared" if c["declared"] else "hashed",
            "covers": {"target": True, "host": "host" in c["list"] and "host" not in policy.get("rewrite", {}), "body": not unsigned, "headers": c["list"]}}

def main(folder):
    failed, files = 0, sorted([*folder.glob("*.json"), *folder.glob("collisions/*.json")])
    need({path.stem for path in files} >= set(SCHEMES), "a file is missing: " + str(folder))
    for path in files:
        file, name = json.loads(path.read_text()), path.relative_to(folder).with_suffix("")
        s, vectors = SCHEMES.get(file["scheme"]), [{**v, **one} for v in file["vectors"] for one in v.get("requests", [v])]
        for v in vectors if s else []:
            code, identity, seen = "", None, {}
            need(set(v) | set(v.get("policy", {})) <= KNOWN, f"{name}/{v['name']} has an unknown field")
            try:
                identity = judge(Request(base64.b64decode(v["request"]), v.get("policy", {}).get("rewrite", {})), s, file["keys"], v, seen)
            except ValueError as error:  # strptime has a sentence for a date that does not exist
                code = str(error) if re.fullmatch("[a-z_]+", str(error)) else "credential_malformed"
            computed = all(v[f] in seen.get(f, []) for f in ("canonical_request", "string_to_sign") if f in v)
            if code != v["code"] or identity != v.get("identity", identity) or not computed:
                failed += 1
                print(f"{name}/{v['name']}: got {code or identity}, {seen}, want {v}")
        need(vectors, f"{name} has no vectors")
        print(f"{name}: {len(vectors)} requests{'' if s else ' skipped'}")
    return failed

sys.exit(main(pathlib.Path((sys.argv[1:] or [pathlib.Path(__file__).parent])[0])) > 0)

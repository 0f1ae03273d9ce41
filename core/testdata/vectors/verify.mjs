#!/usr/bin/env node
// Runs the test vectors of this folder for hmac, aksk, v11 and sigv4: node verify.mjs [folder]
// The verifier follows docs/protocols.md, and README.md of this folder for the order of the
// checks. Text is latin-1, one character for each byte. It is made for these files, not for a server.
import { createHash, createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
const sdk = { token: "SDK-HMAC-SHA256", field: "Access", name: "X-Sdk-", session: "x-security-token", query: true, parts: 0 };
const schemes = {
  hmac: sdk,
  aksk: { ...sdk, field: "Credential", parts: 4, end: "sdk_request", seed: "SDK" },
  v11: { ...sdk, token: "V11-HMAC-SHA256", field: "Credential", parts: 3, query: false },
  sigv4: { token: "AWS4-HMAC-SHA256", field: "Credential", name: "X-Amz-", session: "x-amz-security-token", query: true, parts: 4,
    end: "aws4_request", seed: "AWS4", aws: true },
};
const ofConnection = /^(authorization|connection|keep-alive|proxy-authorization|proxy-connection|te|trailer|transfer-encoding|upgrade)$/;
const credentialMark = /^X-(Sdk|Amz)-(Algorithm|Credential|Signature)$/;
const override = /^x-(http-method-override|method-override|http-method)$/, digest = /^x-(sdk-content-sha256|sdk-content-sm3|amz-content-sha256)$/;
const inQuery = ["Algorithm", "Credential", "Signature", "Date", "Expires", "SignedHeaders"];
const known = new Set(["name", "comment", "at", "key", "policy", "request", "requests", "code", "identity", "canonical_request",
  "string_to_sign", "clock_skew", "max_body", "require_signed", "allow_unsigned_payload", "allow_presigned", "rewrite"]);
class Refusal extends Error {}
const refuse = (condition, code) => { if (condition) throw new Refusal(code); };
const latin1 = (text) => Buffer.from(text, "latin1");
const sha256 = (text) => createHash("sha256").update(latin1(text)).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(latin1(text)).digest();
const decode = (text) => text.replace(/%([0-9a-f]{2})/gi, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
const encode = (text) => text.replace(/[^A-Za-z0-9._~-]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0"));
const trim = (text) => text.replace(/^[ \t]+|[ \t]+$/g, "");
const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const cut = (text, at) => { const i = text.indexOf(at); return i < 0 ? [text, ""] : [text.slice(0, i), text.slice(i + at.length)]; };
const toDate = (text) => new Date(text.replace(/^(....)(..)(..T..)(..)(..)Z$/, "$1-$2-$3:$4:$5Z"));
const timestamp = (date) => (isNaN(date) ? "" : date.toISOString().replace(/[-:]|\.000/g, ""));

function read(raw, rewrite = {}) {
  let [head, rest] = cut(raw.toString("latin1"), "\r\n\r\n"), length = 0, body = "", whole = true;
  const [line, ...lines] = head.split("\r\n"), [method, target] = line.split(" ");
  const headers = lines.map((text) => cut(text, ":")).map(([n, v]) => [n.toLowerCase(), /^host$/i.test(n) ? rewrite.host ?? trim(v) : trim(v)]);
  const header = (name) => headers.filter(([n]) => n === name).map(([, value]) => value);
  if (header("transfer-encoding").length) {
    length = -1;
    for (let size; ([size, rest] = cut(rest, "\r\n")), (size = parseInt(size, 16)); rest = rest.slice(size + 2)) body += rest.slice(0, size);
  } else if (header("content-length").length) {
    length = Number(header("content-length")[0]);
    [body, whole] = [rest.slice(0, length), rest.length >= length];
  }
  const [path, query] = cut((rewrite.add_prefix ?? "") + target, "?");
  const pairs = query.split("&").filter(Boolean).map((piece) => cut(piece.replaceAll("+", " "), "=").map(decode));
  const parameter = (name) => pairs.filter(([n]) => n === name).map(([, value]) => value);
  return { method, path, query, pairs, headers, header, parameter, length, body, whole };
}

function fromHeader(r, s) {
  const value = r.header("authorization")[0], token = value.split(/[ \t]/)[0];
  const pieces = value.slice(token.length).split(",").map((piece) => cut(trim(piece), "=")), fields = Object.fromEntries(pieces);
  const full = ["Signature", fields.Access ? "Access" : "Credential"].every((name) => fields[name]) && "SignedHeaders" in fields;
  const whole = full && pieces.length === 3 && value.length <= 8192, ours = token === s.token && (!whole || s.field in fields);
  refuse(!ours, token.toLowerCase() === "bearer" || value.slice(token.length).includes("=") ? "scheme_not_accepted" : "credential_malformed");
  refuse(!whole, "credential_malformed");
  let dateHeader = s.name.toLowerCase() + "date", dates = r.header(dateHeader);
  if (s.aws && !dates.length) {
    dateHeader = "date";
    const asGMT = r.header("date").map((text) => text.replace(/ [+-]0000$/, " GMT"));
    dates = asGMT.map((text) => (new Date(text).toUTCString() === text ? timestamp(new Date(text)) : text));
  }
  refuse(dates.length !== 1, "credential_malformed");
  return { id: fields[s.field], signature: fields.Signature, listed: fields.SignedHeaders, date: dates[0], dateHeader };
}

function fromQuery(r, s) {
  const values = inQuery.map((name) => r.parameter(s.name + name));
  refuse(!s.query || !(s.aws ? values.slice(0, 3).some((v) => v.length) : values[0].includes(s.token)), "credential_missing");
  for (const name of [...inQuery, ...(s.aws ? ["Security-Token", "Content-Sha256"] : [])].map((n) => s.name + n)) {
    const anyCase = r.pairs.filter(([n]) => n.toLowerCase() === name.toLowerCase()).length, exact = r.parameter(name).length;
    const odd = exact !== anyCase || (exact && r.header(name.toLowerCase()).length);
    refuse(anyCase > 1 || (odd && !name.endsWith("Sha256")), "request_ambiguous");
  }
  refuse(!values.every((v) => v[0]), "credential_malformed");
  const [algorithm, id, signature, date, expires, listed] = values.map((v) => v[0]);
  refuse(algorithm !== s.token, "scheme_not_accepted");
  refuse(!/^[1-9][0-9]{0,5}$/.test(expires) || Number(expires) > 604800, "credential_malformed");
  return { id, signature, listed, date, expires: Number(expires), presigned: true };
}

// parse makes steps 1 and 2 of README.md, without the end, and returns the credential.
function parse(r, s, policy) {
  const badEscape = /%(?![0-9a-f]{2})/i, protocol = r.headers.map(([n]) => n).filter((n) => /^(authorization$|x[-_](sdk|amz)[-_])/.test(n));
  refuse(protocol.some((name) => name.includes("_") || r.header(name).length > 1), "request_ambiguous");
  refuse(!r.path.startsWith("/") || badEscape.test(r.path) || /%0[0ad]/i.test(r.path), "request_ambiguous");
  refuse(badEscape.test(r.query) || r.pairs.length > 1024 || r.pairs.some(([n]) => !n), "request_ambiguous");
  refuse(r.header("authorization").length && r.pairs.some(([n]) => credentialMark.test(n)), "request_ambiguous");
  const c = { presigned: false, scope: [], ...(r.header("authorization").length ? fromHeader(r, s) : fromQuery(r, s)) };
  refuse(!/^[0-9a-f]{64}$/.test(c.signature) || timestamp(toDate(c.date)) !== c.date, "credential_malformed");
  c.list = c.listed ? c.listed.split(";") : [];
  refuse(c.list.length > 64 || c.list.some((n, i) => !n || n !== n.toLowerCase() || (i && n <= c.list[i - 1])), "credential_malformed");
  if (s.parts) {
    [c.id, ...c.scope] = c.id.split("/");
    const odd = [c.id, ...c.scope].includes("") || c.scope.length !== s.parts;
    refuse(odd || c.scope[0] !== c.date.slice(0, 8) || c.scope[3] !== s.end, "credential_malformed");
  }
  const digest = s.name.toLowerCase() + "content-sha256";
  c.declared = c.list.includes(digest) ? r.header(digest)[0] : undefined;
  if (s.aws && c.presigned) c.declared ??= r.pairs.find(([n]) => n.toLowerCase() === digest)?.[1];
  refuse(c.declared?.startsWith("STREAMING-"), "payload_unsupported");
  refuse(c.declared !== undefined && !/^(UNSIGNED-PAYLOAD|[0-9a-f]{64})$/.test(c.declared), "credential_malformed");
  refuse(c.presigned && !policy.allow_presigned, "scheme_not_accepted");
  return c;
}

// refuseAmbiguous is the end of step 2: the canonical request hides what a router or a proxy sees.
function refuseAmbiguous(r, s, c, key) {
  const segments = r.path.slice(1).split("/"), s3 = key.paths === "s3", names = r.headers.map(([name]) => name);
  const hidden = (r.path.match(/%../g) ?? []).some((e) => encode(decode(e)) === decode(e) || (s3 ? "/" : "/\\").includes(decode(e)));
  refuse(s.aws && !s3 ? segments.slice(0, -1).includes("") : hidden || (s3 && r.path.includes("\\")), "request_ambiguous");
  refuse(r.query.includes(";") || (!s3 && segments.some((segment) => segment === "." || segment === "..")), "request_ambiguous");
  const dashed = c.list.map((name) => name.replaceAll("_", "-"));
  refuse(names.some((n) => !c.list.includes(n) && dashed.includes(n.replaceAll("_", "-"))), "request_ambiguous");
  const dropped = r.header("connection").flatMap((value) => value.split(","));
  refuse(dropped.some((name) => c.list.includes(trim(name).toLowerCase())), "request_ambiguous");
}

// canonicalRequests returns two where the vendor's SDKs sort the query differently.
function canonicalRequests(r, s, c, key) {
  let s3 = key.paths === "s3", kept = [], path = r.path.split("/").map((segment) => encode(decode(segment))).join("/");
  if (!s.aws && !path.endsWith("/")) path += "/";
  if (s.aws && !s3) {
    for (const segment of r.path.split("/")) segment === ".." ? kept.pop() : segment && segment !== "." && kept.push(encode(segment));
    path = "/" + kept.join("/") + (kept.length && r.path.endsWith("/") ? "/" : "");
  }
  const pairs = r.pairs.filter(([name]) => !(c.presigned && name === s.name + "Signature"));
  const sort = (list) => list.toSorted(([a, b], [x, y]) => order(a, x) || order(b, y)), encoded = (list) => list.map((p) => p.map(encode));
  const orders = [...(s.aws ? [] : [encoded(sort(pairs))]), sort(encoded(pairs))];
  const headers = c.list.flatMap((name) => {
    const values = r.header(name).map((value) => (s.seed ? value.replace(/[ \t]+/g, " ") : value));
    return (s.aws ? [values.join(",")] : values.sort(order)).map((value) => name + ":" + value + "\n");
  }).join("");
  const unsigned = c.presigned && s3 && /^s3(-|$)/.test(key.service);
  c.payload = c.declared ?? (unsigned ? "UNSIGNED-PAYLOAD" : sha256(r.body));
  return orders.map((list) => [r.method, path, list.map((pair) => pair.join("=")).join("&"), headers, c.listed, c.payload].join("\n"));
}

function sign(s, secret, c, text) {
  const hkdf = () => Buffer.from(hkdfSync("sha256", secret, c.id, c.scope.join("/"), 32)).toString("hex");
  return hmac(s.seed ? c.scope.reduce(hmac, s.seed + secret) : s.parts ? hkdf() : secret, text);
}

// judge returns the identity, or throws a Refusal. seen gets what is computed on the way.
function judge(r, s, keys, v, seen) {
  const policy = v.policy ?? {}, limit = policy.max_body ?? 12582912, skew = policy.clock_skew ?? 900, now = new Date(v.at);
  const c = parse(r, s, policy), key = keys.find((k) => k.key === c.id), age = (now - toDate(c.date)) / 1000;
  seen.canonical_request = canonicalRequests(r, s, c, key ?? {});
  const lines = [s.token, c.date, ...(s.parts ? [c.scope.join("/")] : [])];
  seen.string_to_sign = seen.canonical_request.map((text) => [...lines, sha256(text)].join("\n"));
  refuseAmbiguous(r, s, c, key ?? {});
  refuse(r.length > limit, "body_too_large");
  refuse(!key, "key_unknown");
  refuse(s.parts && (c.scope[1] !== key.region || c.scope[2] !== key.service), "signature_mismatch");
  refuse(age > (c.expires ?? skew) || age < -skew, age > 0 ? "signature_expired" : "signature_not_yet_valid");
  const required = [c.dateHeader, ...(policy.require_signed ?? ["host"])], own = (n) => n.startsWith(s.name.toLowerCase()) && !digest.test(n);
  const unsigned = r.headers.some(([n]) => !c.list.includes(n) && (required.includes(n) || override.test(n) || own(n)));
  refuse(unsigned || !c.list.length, "header_not_signed");
  refuse(c.list.some((n) => ofConnection.test(n) || (!r.header(n).length && n !== "content-length")), "header_not_signed");
  const tokens = s.aws && c.presigned ? r.parameter("X-Amz-Security-Token") : c.list.includes(s.session) ? r.header(s.session) : [];
  refuse(key.session_token ? tokens.join() !== key.session_token : s.aws && tokens.length, "signature_mismatch");
  const open = c.payload === "UNSIGNED-PAYLOAD", good = r.whole && (r.length >= 0 || r.body);
  refuse(open && !policy.allow_unsigned_payload, "payload_not_signed");
  refuse(!good && !open && c.declared === undefined, "body_mismatch");
  refuse(r.body.length > limit, "body_too_large");
  const secrets = [key.secret, ...(key.previous ?? []).filter((p) => now < new Date(p.until)).map((p) => p.secret)];
  const matches = (secret) => seen.string_to_sign.some((text) => timingSafeEqual(sign(s, secret, c, text), Buffer.from(c.signature, "hex")));
  const secret = secrets.findIndex(matches);
  refuse(secret < 0, "signature_mismatch");
  refuse(key.name !== v.key, "key_not_bound");
  refuse(!open && (!good || c.payload !== sha256(r.body)), "body_mismatch");
  const payload = open ? "unsigned" : c.declared === undefined ? "hashed" : "declared";
  const covers = { target: true, host: c.list.includes("host") && !policy.rewrite?.host, body: !open, headers: c.list };
  return { key: key.name, key_id: key.key, algorithm: s.token, secret, payload, covers };
}

const folder = process.argv[2] ?? import.meta.dirname;
const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".json")).sort();
refuse(!Object.keys(schemes).every((name) => files.includes(name + ".json")), "a file is missing: " + folder);
for (const name of files) {
  const file = JSON.parse(readFileSync(`${folder}/${name}`)), s = schemes[file.scheme];
  const vectors = file.vectors.flatMap((v) => (v.requests ?? [v]).map((one) => ({ ...v, ...one })));
  for (const v of s ? vectors : []) {
    const unknown = [...Object.keys(v), ...Object.keys(v.policy ?? {})].find((field) => !known.has(field));
    refuse(unknown, `${name}: ${v.name} has the unknown field ${unknown}`);
    let code = "", identity, seen = {};
    try { identity = judge(read(Buffer.from(v.request, "base64"), v.policy?.rewrite), s, file.keys, v, seen); }
    catch (error) { if (error instanceof Refusal) code = error.message; else throw error; }
    const computed = ["canonical_request", "string_to_sign"].every((field) => !(field in v) || seen[field]?.includes(v[field]));
    if (code === v.code && (!v.identity || isDeepStrictEqual(identity, v.identity)) && computed) continue;
    process.exitCode = 1;
    console.log(`${name.replace(".json", "")}/${v.name}: got`, code || identity, seen, "want", v);
  }
  refuse(!vectors.length, name + " has no vectors");
  console.log(`${name.replace(".json", "")}: ${vectors.length} requests${s ? "" : " skipped"}`);
}

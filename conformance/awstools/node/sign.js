// Signs requests with the SigV4 signers on npm and sends them as an application
// would: with the HTTP client that belongs to each, to a socket here. What
// arrives is the result.
//
// Standard input is a JSON list of {name, tool, presigned, service, region,
// token, method, path, query, headers, body, options}: body is base64, options
// are the tool's own. Standard output is one JSON object per line, in the same
// order: {name, raw} with the request in base64, or {name, error}.
'use strict';
const http = require('node:http');
const net = require('node:net');
const { readFileSync } = require('node:fs');
const { Sha256 } = require('@aws-crypto/sha256-js');
const { HttpRequest } = require('@smithy/core/protocols');
const { NodeHttpHandler } = require('@smithy/node-http-handler');
const { SignatureV4 } = require('@smithy/signature-v4');
const { SignatureV4a } = require('@smithy/signature-v4a');
const aws4 = require('aws4');
const { AwsClient } = require('aws4fetch');

const id = process.env.SIGN_ID;
const secret = process.env.SIGN_SECRET;
const host = 'api.example.com';
let port;

// aws4 signs the options of http.request. Path and query are one text.
async function withAws4(c) {
  const signed = aws4.sign({
    host, service: c.service, region: c.region, method: c.method, path: c.path,
    headers: c.headers, body: c.body, signQuery: c.presigned, ...c.options,
  }, { accessKeyId: id, secretAccessKey: secret, sessionToken: c.token });
  await new Promise((resolve, reject) => {
    const { method, path, headers } = signed;
    const request = http.request({ host: '127.0.0.1', port, method, path, headers }, (response) => response.resume().on('end', resolve));
    request.on('error', reject);
    request.end(c.body);
  });
}

// aws4fetch signs URLs and headers, for fetch, which takes the host from the URL.
async function withAws4fetch(c) {
  const client = new AwsClient({ accessKeyId: id, secretAccessKey: secret, sessionToken: c.token, service: c.service, region: c.region, retries: 0 });
  const response = await client.fetch(`http://127.0.0.1:${port}${c.path}`, {
    method: c.method, headers: c.headers, body: c.body, aws: { signQuery: c.presigned, ...c.options },
  });
  await response.arrayBuffer();
}

// The SDK's signers take a path and a map of parameters.
async function withSmithy(c, Signer) {
  const signer = new Signer({
    service: c.service, region: c.region, sha256: Sha256, credentials: { accessKeyId: id, secretAccessKey: secret, sessionToken: c.token },
    uriEscapePath: c.service !== 's3', ...c.options,
  });
  const request = new HttpRequest({
    protocol: 'http:', hostname: '127.0.0.1', port, method: c.method, path: c.path, query: c.query ?? {},
    headers: { host, ...c.headers }, body: c.body,
  });
  const signed = c.presigned ? await signer.presign(request, c.options) : await signer.sign(request);
  const { response } = await new NodeHttpHandler().handle(signed);
  await new Promise((resolve) => response.body.on('end', resolve).resume());
}

const tools = {
  'aws4': withAws4,
  'aws4fetch': withAws4fetch,
  'signature-v4': (c) => withSmithy(c, SignatureV4),
  'signature-v4a': (c) => withSmithy(c, SignatureV4a),
};

// No content: the answer to a HEAD must have none.
const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
let received = Buffer.alloc(0);

// whole reports whether a request has arrived to its end.
function whole(raw) {
  const end = raw.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const head = raw.toString('latin1', 0, end);
  if (/^transfer-encoding: chunked/im.test(head)) return raw.toString('latin1').endsWith('0\r\n\r\n');
  const length = /^content-length: (\d+)/im.exec(head);
  return raw.length >= end + 4 + Number(length ? length[1] : 0);
}

const server = net.createServer((socket) => {
  let raw = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (data) => {
    raw = Buffer.concat([raw, data]);
    if (!whole(raw)) return;
    received = raw;
    socket.end(answer);
  });
});

server.listen(0, '127.0.0.1', async () => {
  ({ port } = server.address());
  for (const c of JSON.parse(readFileSync(0))) {
    received = Buffer.alloc(0);
    c.body = c.body && Buffer.from(c.body, 'base64');
    let result;
    try {
      await tools[c.tool](c);
      result = { name: c.name, raw: received.toString('base64') };
    } catch (e) {
      result = { name: c.name, error: `${(e && (e.cause || e.message)) || e}` };
    }
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
  server.close();
});

// Signs requests with the vendor's Node SDK as an application would have it:
// the SDK's client sends each to a socket here, and what arrives is the result.
//
// Standard input is a JSON list of {name, options, dataBase64, derived}: options
// is what the SDK's generated clients pass to HcClient.sendRequest, dataBase64 is
// data that is no JSON, derived asks for V11-HMAC-SHA256 instead of
// SDK-HMAC-SHA256. Standard output is one JSON object per line, in the same
// order: {name, raw} with the request in base64, or {name, error}.
'use strict';
const net = require('node:net');
const { readFileSync } = require('node:fs');
const { BasicCredentials } = require('@huaweicloud/huaweicloud-sdk-core');
const { HcClient } = require('@huaweicloud/huaweicloud-sdk-core/HcClient');
const { DefaultHttpClient } = require('@huaweicloud/huaweicloud-sdk-core/http/DefaultHttpClient');

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
  socket.on('data', (data) => {
    received = Buffer.concat([received, data]);
    if (whole(received)) socket.end(answer);
  });
});

server.listen(0, '127.0.0.1', async () => {
  const endpoint = `http://127.0.0.1:${server.address().port}`;
  const { SDK_AK, SDK_SK, SDK_REGION, SDK_SERVICE } = process.env;
  const flat = new BasicCredentials().withAk(SDK_AK).withSk(SDK_SK);
  const derivedKey = new BasicCredentials().withAk(SDK_AK).withSk(SDK_SK).withDerivedPredicate(() => true);
  derivedKey.processDerivedAuthParams(SDK_SERVICE, SDK_REGION);
  for (const { name, options, dataBase64, derived } of JSON.parse(readFileSync(0))) {
    received = Buffer.alloc(0);
    const request = { pathParams: {}, headers: {}, ...options };
    if (dataBase64 !== undefined) request.data = Buffer.from(dataBase64, 'base64');
    let result;
    try {
      const client = new HcClient(new DefaultHttpClient({ logLevel: 'off' }, [endpoint]), {});
      await client.withCredential(derived ? derivedKey : flat).withEndpoints([endpoint]).sendRequest(request);
      result = { name, raw: received.toString('base64') };
    } catch (e) {
      result = { name, error: `${(e && (e.message || e.errorMsg)) || e}` };
    }
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
  server.close();
});

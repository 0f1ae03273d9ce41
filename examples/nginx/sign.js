// Signs what nginx forwards with SDK-HMAC-SHA256, flat key, as an API gateway
// does. The names in capitals are those of the vendor's signing guide. Written
// for the njs of Debian 12 (0.7.9), which has no for-of and no crypto.subtle.

import crypto from 'crypto';
import fs from 'fs';

const ALGORITHM = 'SDK-HMAC-SHA256';

// What nginx.conf strips or, the last three, replaces. Looked for once more
// here: a configuration that forgot a line must not sign a client's word.
const RESERVED = /^(x-(sdk|amz|apig)-|x-(stage|security-token|auth-token|http-method-override|http-method|method-override)$)/;

// What nginx writes itself, so that the client's value is not what is sent.
const REWRITTEN = /^(authorization|connection|content-length|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade|x-forwarded-.*)$/;

// forward signs r and hands it to the location that sends it.
function forward(r) {
    let signed;
    try {
        signed = sign(r);
    } catch (e) {
        // 400 and 413 are about the request; anything else is our own fault.
        const status = e.status || 500;
        r[status < 500 ? 'warn' : 'error'](`not signed: ${e.message}`);
        r.return(status);
        return;
    }
    r.variables.signed_authorization = signed.authorization;
    r.variables.signed_date = signed.date;
    r.variables.signed_digest = signed.digest;
    r.internalRedirect('@signed');
}

function sign(r) {
    const target = canonicalTarget(r.rawVariables.request_uri);
    const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
    const digest = bodyDigest(r);

    const headers = clientHeaders(r);
    headers['host'] = [r.variables.signed_host];
    headers['x-sdk-date'] = [date];
    headers['x-sdk-content-sha256'] = [digest];
    const names = Object.keys(headers).sort();
    const signedHeaders = names.join(';');

    let canonicalHeaders = '';
    names.forEach(name => headers[name].forEach(value => {
        canonicalHeaders += `${name}:${value}\n`;
    }));
    const request = [r.method, target.path, target.query, canonicalHeaders, signedHeaders, digest].join('\n');

    const hashed = crypto.createHash('sha256').update(request).digest('hex');
    const stringToSign = `${ALGORITHM}\n${date}\n${hashed}`;
    const signature = crypto.createHmac('sha256', secret()).update(stringToSign).digest('hex');
    return {
        date: date,
        digest: digest,
        authorization: `${ALGORITHM} Access=${keyID()}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
    };
}

// fail throws an error that is answered with status.
function fail(status, message) {
    const e = new Error(message);
    e.status = status;
    throw e;
}

function keyID() {
    const id = process.env.GATEWAYAUTH_KEY;
    if (!id) {
        fail(500, 'GATEWAYAUTH_KEY is not set');
    }
    return id;
}

// secret reads the file for every request: a new secret counts at once, without
// a reload. One line break at its end does not belong to it.
function secret() {
    const path = process.env.GATEWAYAUTH_SECRET_FILE;
    let text = process.env.GATEWAYAUTH_SECRET;
    if (path) {
        text = fs.readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    }
    if (!text) {
        fail(500, 'the secret is not set, or empty');
    }
    return text;
}

// bodyDigest hashes the body that nginx has read, from memory or from its file.
function bodyDigest(r) {
    const hash = crypto.createHash('sha256');
    // nginx knows what it is going to send, of chunked bodies as well. An empty
    // body is not looked at: this njs cannot hash the buffer that it gives for it.
    const sent = Number(r.variables.content_length || 0);
    if (sent > 0) {
        const path = r.variables.request_body_file;
        const read = path ? hashFile(hash, path) : hashMemory(hash, r.requestBuffer);
        if (read !== sent) {
            fail(500, 'the body at hand is not the one that is sent');
        }
    }
    return hash.digest('hex');
}

function hashMemory(hash, buffer) {
    if (!buffer) {
        return 0;
    }
    hash.update(buffer);
    return buffer.length;
}

// hashFile returns the length of the file. Without client_body_in_file_only the
// file has no name any more and cannot be opened: what outgrew the memory is
// too large to be signed.
function hashFile(hash, path) {
    let file;
    try {
        file = fs.openSync(path);
    } catch (e) {
        fail(413, `the body's file: ${e.message}; see client_body_in_file_only`);
    }
    try {
        const chunk = Buffer.alloc(64 * 1024);
        let length = 0;
        for (;;) {
            const n = fs.readSync(file, chunk, 0, chunk.length, null);
            if (n === 0) {
                return length;
            }
            hash.update(chunk.subarray(0, n));
            length += n;
        }
    } finally {
        fs.closeSync(file);
    }
}

// clientHeaders returns the client's headers that are to be signed: by name, the
// values trimmed and sorted.
function clientHeaders(r) {
    const wanted = (r.variables.sign_headers || '').split(' ').filter(name => name !== '');
    if (wanted.some(name => REWRITTEN.test(name))) {
        fail(500, '$sign_headers names a header that nginx rewrites');
    }
    const headers = {};
    r.rawHeadersIn.forEach(line => {
        const name = line[0].toLowerCase();
        if (RESERVED.test(name.replace(/_/g, '-'))) {
            fail(400, `the client's ${name} was not stripped`);
        }
        if (wanted.includes(name)) {
            headers[name] = headers[name] || [];
            headers[name].push(utf8(name, line[1]).replace(/^[ \t]+|[ \t]+$/g, ''));
        }
    });
    Object.keys(headers).forEach(name => headers[name].sort(compare));
    return headers;
}

// utf8 refuses values in other encodings: njs hands their bytes on as U+FFFD,
// and there is nothing to sign then.
function utf8(name, value) {
    const text = Buffer.from(value).toString();
    if (text.includes('\ufffd')) {
        fail(400, `the value of ${name} is not UTF-8`);
    }
    return text;
}

// canonicalTarget returns CanonicalURI and CanonicalQuery of the bytes that
// nginx received and sends. What a verifier refuses as ambiguous is not signed.
function canonicalTarget(bytes) {
    // Bytes beyond ASCII have the same canonical form raw and encoded.
    let target = '';
    for (let i = 0; i < bytes.length; i++) {
        target += bytes[i] < 0x80 ? String.fromCharCode(bytes[i]) : hex(bytes[i]);
    }
    const mark = target.indexOf('?');
    const path = mark < 0 ? target : target.slice(0, mark);
    const query = mark < 0 ? '' : target.slice(mark + 1);
    if (path[0] !== '/') {
        fail(400, 'the target is not a path');
    }
    if (/%(?![0-9A-Fa-f]{2})/.test(target)) {
        fail(400, 'a malformed percent sequence');
    }
    return {path: canonicalPath(path), query: canonicalQuery(query)};
}

function canonicalPath(path) {
    if (/(^|\/)\.\.?(\/|$)/.test(path)) {
        fail(400, 'a dot segment in the path');
    }
    // NUL, LF, CR, slash, backslash; letters, digits, "-._~".
    if (/%(00|0a|0d|2f|5c|2d|2e|5f|7e|3\d|4[1-9a-f]|5[\da]|6[1-9a-f]|7[\da])/i.test(path)) {
        fail(400, 'an encoded character in the path that routers read in two ways');
    }
    const canonical = path.split('/').map(encode).join('/');
    return canonical.endsWith('/') ? canonical : canonical + '/';
}

function canonicalQuery(query) {
    if (query.includes(';')) {
        fail(400, 'a semicolon in the query');
    }
    // Sorted by what they stand for, as the vendor's Go, Python and Node SDKs do.
    return query.split('&').filter(piece => piece !== '').map(piece => {
        const equals = piece.indexOf('=');
        if (equals === 0) {
            fail(400, 'a query parameter without a name');
        }
        const name = encode(plus(equals < 0 ? piece : piece.slice(0, equals)));
        const value = encode(plus(equals < 0 ? '' : piece.slice(equals + 1)));
        return {name: decode(name), value: decode(value), text: `${name}=${value}`};
    }).sort((a, b) => compare(a.name, b.name) || compare(a.value, b.value)).map(p => p.text).join('&');
}

// plus writes the space as in a path.
function plus(text) {
    return text.replace(/\+/g, '%20');
}

// encode decodes and encodes again: unreserved characters stay, every other
// byte becomes %XX in upper case.
function encode(text) {
    return text.replace(/%[0-9A-Fa-f]{2}|[^A-Za-z0-9._~-]/g, s => {
        const byte = s.length === 3 ? parseInt(s.slice(1), 16) : s.charCodeAt(0);
        const char = String.fromCharCode(byte);
        return /[A-Za-z0-9._~-]/.test(char) ? char : hex(byte);
    });
}

// decode returns one character for each byte, for comparison.
function decode(text) {
    return text.replace(/%(..)/g, (s, digits) => String.fromCharCode(parseInt(digits, 16)));
}

function compare(a, b) {
    return a < b ? -1 : a > b ? 1 : 0;
}

function hex(byte) {
    return '%' + (byte < 16 ? '0' : '') + byte.toString(16).toUpperCase();
}

export default {forward};

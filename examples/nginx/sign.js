// Signs the requests that nginx forwards with SDK-HMAC-SHA256 and a flat key, as an
// API gateway does. The names in capitals are from the vendor's signing guide. For
// the njs of Debian 12 (0.7.9), which has no for-of and no crypto.subtle.

import crypto from 'crypto';
import fs from 'fs';

const ALGORITHM = 'SDK-HMAC-SHA256';

// The headers that nginx.conf removes or, for the last three, replaces. They are checked
// here again, so that a configuration without a line does not sign a client's values.
const RESERVED = /^(x-(sdk|amz|apig)-|x-(stage|security-token|auth-token|http-method-override|http-method|method-override)$)/;

// The headers that nginx writes itself: the client's value is not the one that is sent.
const REWRITTEN = /^(authorization|connection|content-length|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade|x-forwarded-.*)$/;

// forward signs r and passes it to the location that sends it.
function forward(r) {
    let signed;
    try {
        signed = sign(r);
    } catch (e) {
        // 400 and 413 are faults of the request; others are faults of the configuration.
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

// fail throws an error for which the response has this status.
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

// secret reads the file for every request, so that a new secret takes effect without a
// reload. One line break at its end is not part of the secret.
function secret() {
    const path = process.env.GATEWAYAUTH_SECRET_FILE;
    let text = process.env.GATEWAYAUTH_SECRET;
    if (path) {
        text = fs.readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    }
    if (!text) {
        fail(500, 'the secret is not set or empty');
    }
    return text;
}

// bodyDigest returns the digest of the body that nginx has read, from memory or its file.
function bodyDigest(r) {
    const hash = crypto.createHash('sha256');
    // content_length is the length that nginx sends, also for chunked bodies. An empty
    // body is not hashed from requestBuffer, because this njs cannot hash that buffer.
    const sent = Number(r.variables.content_length || 0);
    if (sent > 0) {
        const path = r.variables.request_body_file;
        const read = path ? hashFile(hash, path) : hashMemory(hash, r.requestBuffer);
        if (read !== sent) {
            fail(500, 'the body that was read has another length than the one that is sent');
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

// hashFile hashes the file, and returns its length. Without client_body_in_file_only nginx
// has deleted the file's name, so it cannot be opened: a body that does not fit in memory
// is then too large to be signed.
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

// clientHeaders returns the client's headers to sign, by name, with the values trimmed and
// sorted.
function clientHeaders(r) {
    const wanted = (r.variables.sign_headers || '').split(' ').filter(name => name !== '');
    if (wanted.some(name => REWRITTEN.test(name))) {
        fail(500, '$sign_headers names a header that nginx rewrites');
    }
    const headers = {};
    r.rawHeadersIn.forEach(line => {
        const name = line[0].toLowerCase();
        if (RESERVED.test(name.replace(/_/g, '-'))) {
            fail(400, `the client's ${name} was not removed: the configuration lacks a line`);
        }
        if (wanted.includes(name)) {
            headers[name] = headers[name] || [];
            headers[name].push(utf8(name, line[1]).replace(/^[ \t]+|[ \t]+$/g, ''));
        }
    });
    Object.keys(headers).forEach(name => headers[name].sort(compare));
    return headers;
}

// utf8 refuses values in other encodings: njs replaces their bytes by U+FFFD, so they
// cannot be signed.
function utf8(name, value) {
    const text = Buffer.from(value).toString();
    if (text.includes('\ufffd')) {
        fail(400, `the value of ${name} is not UTF-8`);
    }
    return text;
}

// canonicalTarget returns CanonicalURI and CanonicalQuery of the bytes that nginx received
// and sends. It fails for targets that a verifier refuses as ambiguous.
function canonicalTarget(bytes) {
    // Bytes that are not ASCII have the same canonical form raw and encoded.
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
        fail(400, 'an encoded character in the path that routers interpret differently');
    }
    const canonical = path.split('/').map(encode).join('/');
    return canonical.endsWith('/') ? canonical : canonical + '/';
}

function canonicalQuery(query) {
    if (query.includes(';')) {
        fail(400, 'a semicolon in the query');
    }
    // Sorted by the decoded text, as in the vendor's Go, Python and Node SDKs.
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

// plus replaces + by %20, as in a path.
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

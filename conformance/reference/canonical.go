package reference

import (
	"slices"
	"strings"
)

// docs/protocols.md, SDK canonical request and SigV4 canonical request.

// canonicalRequests are the canonical requests that the message may have: two with the SDK
// schemes, whose SDKs disagree about the order of the query.
func (j *judgement) canonicalRequests(c *credential, key Key, payload string) (requests []string) {
	path, queries, headers := sdkPath(j.path), sdkQueries(j.query, c.leftOut), j.sdkHeaders(c)
	if c.prefix() == "x-amz-" {
		path, queries, headers = sigv4Path(j.path, key), []string{sigv4Query(j.query, c.leftOut)}, j.sigv4Headers(c)
	}
	for _, query := range queries {
		requests = append(requests, j.method+"\n"+path+"\n"+query+"\n"+headers+"\n"+strings.Join(c.signed, ";")+"\n"+payload)
	}
	return requests
}

// docs/protocols.md, SDK canonical path.

func sdkPath(path string) string {
	path = encodeSegments(path)
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	return path
}

// encodeSegments decodes and encodes each segment.
func encodeSegments(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i] = encode(decodePath(segment), "")
	}
	return strings.Join(segments, "/")
}

// checkHiddenPath is the end of SDK canonical path and of SigV4 canonical path.
func (j *judgement) checkHiddenPath(c *credential, key Key) {
	if c.prefix() == "x-amz-" && key.Options["paths"] != "s3" {
		j.refuse(PolicyHiddenPath, normalize(j.path) != j.path)
		return
	}
	sdk := c.prefix() == "x-sdk-"
	for segment := range strings.SplitSeq(j.path, "/") {
		j.refuse(PolicyHiddenPath, sdk && (segment == "." || segment == "..") || !sdk && strings.Contains(segment, `\`))
		for i := range len(segment) {
			b, ok := escape(segment[i:])
			j.refuse(PolicyHiddenPath, ok && (b == '/' || b == '\\' && sdk || unreserved(b)))
		}
	}
}

// docs/protocols.md, SDK canonical query.

// sdkQueries are the canonical query in the decoded order and in the encoded order.
func sdkQueries(query, leftOut string) []string {
	decoded := pairs(query)
	decoded = slices.DeleteFunc(decoded, func(p pair) bool { return leftOut != "" && p.name == leftOut })
	slices.SortFunc(decoded, comparePairs)
	return []string{joinPairs(encodePairs(decoded)), sigv4Query(query, leftOut)}
}

func comparePairs(a, b pair) int {
	if a.name != b.name {
		return strings.Compare(a.name, b.name)
	}
	return strings.Compare(a.value, b.value)
}

func encodePairs(all []pair) (encoded []pair) {
	for _, p := range all {
		encoded = append(encoded, pair{encode(p.name, ""), encode(p.value, "")})
	}
	return encoded
}

func joinPairs(all []pair) string {
	var pieces []string
	for _, p := range all {
		pieces = append(pieces, p.name+"="+p.value)
	}
	return strings.Join(pieces, "&")
}

// docs/protocols.md, SDK canonical headers.

func (j *judgement) sdkHeaders(c *credential) (lines string) {
	for _, name := range c.signed {
		var values []string
		for _, value := range j.values(name) {
			value = trim(value)
			if c.keyType == "aksk" {
				value = collapse(value)
			}
			values = append(values, value)
		}
		slices.Sort(values)
		for _, value := range values {
			lines += name + ":" + value + "\n"
		}
	}
	return lines
}

// docs/protocols.md, SDK payload line and SigV4 payload line.

func (j *judgement) payloadLine(c *credential, key Key) string {
	service := key.Options["service"]
	s3 := key.Options["paths"] == "s3" && (service == "s3" || strings.HasPrefix(service, "s3-"))
	var declared string
	switch inQuery := c.dateHeader == ""; {
	case c.signs(c.digestHeader) && j.values(c.digestHeader) != nil:
		declared = j.values(c.digestHeader)[0]
	case c.prefix() == "x-amz-" && inQuery && j.has("X-Amz-Content-Sha256"):
		declared = j.parameters("X-Amz-Content-Sha256")[0]
	case c.prefix() == "x-amz-" && inQuery && s3:
		return unsignedPayload
	default:
		return c.sum(j.body)
	}
	return declared
}

// docs/protocols.md, SigV4 canonical path.

func sigv4Path(path string, key Key) string {
	if key.Options["paths"] == "s3" {
		return encodeSegments(path)
	}
	return encode(normalize(path), "/")
}

// normalize is step 1 for every service but S3.
func normalize(path string) string {
	var kept []string
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			kept = kept[:max(len(kept)-1, 0)]
		default:
			kept = append(kept, segment)
		}
	}
	normal := "/" + strings.Join(kept, "/")
	if strings.HasSuffix(path, "/") && len(kept) > 0 {
		normal += "/"
	}
	return normal
}

// docs/protocols.md, SigV4 canonical query.

func sigv4Query(query, leftOut string) string {
	all := slices.DeleteFunc(pairs(query), func(p pair) bool { return leftOut != "" && p.name == leftOut })
	all = encodePairs(all)
	slices.SortFunc(all, comparePairs)
	return joinPairs(all)
}

// docs/protocols.md, SigV4 canonical headers.

func (j *judgement) sigv4Headers(c *credential) (lines string) {
	for _, name := range c.signed {
		var values []string
		for _, value := range j.values(name) {
			values = append(values, collapse(trim(value)))
		}
		lines += name + ":" + strings.Join(values, ",") + "\n"
	}
	return lines
}

package reference

import (
	"slices"
	"strings"
)

// docs/protocols.md, SDK canonical request and SigV4 canonical request.

// canonicalRequests are the canonical requests that the message may have: two with the SDK
// schemes, whose SDKs disagree about the order of the query.
func (j *judgement) canonicalRequests(c *credential, key Key, payload string) (requests []string) {
	path, queries, headers := sdkPath(j.path), []string{decodedOrder(j.query, c.leftOut), encodedOrder(j.query, c.leftOut)}, j.sdkHeaders(c)
	if c.sigv4() {
		path, queries, headers = sigv4Path(j.path, key), queries[1:], j.sigv4Headers(c)
	}
	for _, query := range queries {
		requests = append(requests, j.method+"\n"+path+"\n"+query+"\n"+headers+"\n"+strings.Join(c.signed, ";")+"\n"+payload)
	}
	return requests
}

// docs/protocols.md, SDK canonical path.

func sdkPath(path string) string { return strings.TrimSuffix(encodeSegments(path), "/") + "/" }

// encodeSegments decodes and encodes each segment.
func encodeSegments(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i] = encode(decodePath(segment))
	}
	return strings.Join(segments, "/")
}

// checkHiddenPath is the end of SDK canonical path and of SigV4 canonical path.
func (j *judgement) checkHiddenPath(c *credential, key Key) {
	if c.sigv4() && key.Options["paths"] != "s3" {
		j.refuse(PolicyHiddenPath, normalize(j.path) != j.path)
		return
	}
	segments := strings.Split(j.path, "/")
	j.refuse(PolicyHiddenPath, !c.sigv4() && (slices.Contains(segments, ".") || slices.Contains(segments, "..")))
	j.refuse(PolicyHiddenPath, c.sigv4() && strings.Contains(j.path, `\`))
	for _, e := range escape.FindAllString(j.path, -1) {
		b := decodePath(e)
		j.refuse(PolicyHiddenPath, b == "/" || b == `\` && !c.sigv4() || strings.Contains(unreserved, b))
	}
}

// docs/protocols.md, SDK canonical query and SigV4 canonical query.

// pair is the name and the value of a parameter.
type pair struct{ name, value string }

// pairs are the parameters of a query, decoded.
func pairs(query string) (all []pair) {
	for piece := range strings.SplitSeq(query, "&") {
		if piece != "" {
			name, value, _ := strings.Cut(piece, "=")
			all = append(all, pair{decodeQuery(name), decodeQuery(value)})
		}
	}
	return all
}

// decodedOrder is the canonical query of most SDKs: sorted, then encoded.
func decodedOrder(query, leftOut string) string {
	return joinPairs(encodePairs(sortPairs(pairs(query)), leftOut))
}

// encodedOrder is that of the SDK for Java and of SigV4: encoded, then sorted.
func encodedOrder(query, leftOut string) string {
	return joinPairs(sortPairs(encodePairs(pairs(query), leftOut)))
}

func sortPairs(all []pair) []pair {
	slices.SortFunc(all, func(a, b pair) int {
		return slices.Compare([]string{a.name, a.value}, []string{b.name, b.value})
	})
	return all
}

func encodePairs(all []pair, leftOut string) (encoded []pair) {
	for _, p := range all {
		if leftOut == "" || p.name != leftOut {
			encoded = append(encoded, pair{encode(p.name), encode(p.value)})
		}
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
			if value = trim(value); c.keyType == "aksk" {
				value = collapse(value)
			}
			values = append(values, value)
		}
		slices.Sort(values)
		lines += name + ":" + strings.Join(values, "\n"+name+":") + "\n"
	}
	return lines
}

// docs/protocols.md, SigV4 canonical path.

func sigv4Path(path string, key Key) string {
	if key.Options["paths"] == "s3" {
		return encodeSegments(path)
	}
	return strings.ReplaceAll(encode(normalize(path)), "%2F", "/")
}

// normalize is step 1 for every service but S3.
func normalize(path string) string {
	normal := ""
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			normal = normal[:max(0, strings.LastIndex(normal, "/"))]
		default:
			normal += "/" + segment
		}
	}
	if normal == "" || strings.HasSuffix(path, "/") {
		normal += "/"
	}
	return normal
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

// docs/protocols.md, SDK payload line and SigV4 payload line.

func (j *judgement) payloadLine(c *credential, key Key) string {
	service := key.Options["service"]
	s3 := key.Options["paths"] == "s3" && (service == "s3" || strings.HasPrefix(service, "s3-"))
	inQuery := c.sigv4() && c.dateHeader == ""
	switch declared, parameter := j.values(c.digestHeader), j.parameters("X-Amz-Content-Sha256"); {
	case c.signs(c.digestHeader) && declared != nil:
		return declared[0]
	case inQuery && parameter != nil:
		return parameter[0]
	case inQuery && s3:
		return unsignedPayload
	}
	return c.sum(j.body)
}

package canonical

// AppendPath appends the canonical path of the SDK-* and V11 schemes
// (PROTOCOLS section 1.1): every segment decoded and encoded again, a slash at
// the end, dot segments and double slashes left alone.
//
// That form hides differences which a router can see, so paths that contain
// them are errors: an encoded slash or backslash, an encoded unreserved
// character, a dot segment. The missing or present final slash is hidden as
// well and cannot be told apart; both spellings are one request.
//
// The path must have passed [CheckTarget].
func AppendPath(dst []byte, path string) ([]byte, error) {
	segment := 0 // where the current segment starts in path
	for i := 0; i <= len(path); i++ {
		if i == len(path) || path[i] == '/' {
			if s := path[segment:i]; s == "." || s == ".." {
				return dst, ErrPathDots
			}
			if i < len(path) {
				dst = append(dst, '/')
			}
			segment = i + 1
			continue
		}
		b := path[i]
		if b == '%' {
			var ok bool
			if b, ok = unhex(path, i); !ok {
				return dst, ErrPathEscape
			}
			if b == '/' || b == '\\' {
				return dst, ErrPathSlash
			}
			if unreserved[b] {
				return dst, ErrPathEscaped
			}
			i += 2
		}
		dst = appendByte(dst, b)
	}
	if path == "" || path[len(path)-1] != '/' {
		dst = append(dst, '/')
	}
	return dst, nil
}

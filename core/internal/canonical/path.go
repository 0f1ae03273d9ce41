package canonical

// CheckPath refuses paths whose canonical form in the SDK-* and V11 schemes
// hides differences that a router can see: an encoded slash or backslash, an
// encoded unreserved character, a dot segment. The missing or present final
// slash is hidden as well and cannot be told apart; both spellings are one
// request.
func CheckPath(path string) error { return checkPath(path, shapeOf(path)) }

func checkPath(path string, s shape) error {
	if s&(coded|dot) == 0 {
		return nil
	}
	segment := 0 // where the current segment starts
	for i := 0; i <= len(path); i++ {
		if i == len(path) || path[i] == '/' {
			if s := path[segment:i]; s == "." || s == ".." {
				return ErrPathDots
			}
			segment = i + 1
			continue
		}
		if path[i] == '%' {
			b, ok := unhex(path, i)
			switch {
			case !ok:
				return ErrPathEscape
			case b == '/' || b == '\\':
				return ErrPathSlash
			case unreserved[b]:
				return ErrPathEscaped
			}
			i += 2
		}
	}
	return nil
}

// AppendPath appends the canonical path of the SDK-* and V11 schemes
// (PROTOCOLS section 1.1): every segment decoded and encoded again, a slash at
// the end, double slashes left alone. The path must have passed [CheckPath].
func AppendPath(dst []byte, path string) []byte {
	return appendPath(dst, path, shapeOf(path))
}

func appendPath(dst []byte, path string, s shape) []byte {
	if s.plain() {
		dst = append(dst, path...)
		if path == "" || path[len(path)-1] != '/' {
			dst = append(dst, '/')
		}
		return dst
	}
	for i := 0; i < len(path); i++ {
		b := path[i]
		switch b {
		case '/':
			dst = append(dst, '/')
			continue
		case '%':
			b, _ = unhex(path, i)
			i += 2
		}
		dst = appendByte(dst, b)
	}
	if path == "" || path[len(path)-1] != '/' {
		dst = append(dst, '/')
	}
	return dst
}

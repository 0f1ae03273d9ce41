package core

import "reflect"

// Codes are all codes.
var Codes = codes

// CheckNames are the names of the checks in their order.
var CheckNames = func() (names []string) {
	for _, c := range checks {
		names = append(names, c.name)
	}
	return names
}()

// WithNewVerifications runs f as a process does that has verified nothing before: with
// no verification of the pool. Nothing else may be verified meanwhile.
func WithNewVerifications(f func()) {
	used := takeVerifications()
	f()
	takeVerifications()
	for _, v := range used {
		verifications.Put(v)
	}
}

// takeVerifications empties the pool.
func takeVerifications() (all []*verification) {
	build := verifications.New
	verifications.New = nil
	defer func() { verifications.New = build }()
	for {
		v, ok := verifications.Get().(*verification)
		if !ok {
			return all
		}
		all = append(all, v)
	}
}

// LeftBehind returns how many verifications are in the pool, and the names of those of
// their fields that still hold something of a request or a policy.
func LeftBehind() (n int, names []string) {
	all := takeVerifications()
	for _, v := range all {
		found := func(name string) { names = append(names, name) }
		state := reflect.ValueOf(&v.state).Elem()
		for i := range state.NumField() {
			if !state.Field(i).IsZero() {
				found(state.Type().Field(i).Name)
			}
		}
		leftBehind("message", reflect.ValueOf(v.message).Elem(), found)
		leftBehind("mux", reflect.ValueOf(v.mux).Elem(), found)
		leftBehind("protected", reflect.ValueOf(v.protected), found)
		leftBehind("unknown", reflect.ValueOf(v.unknown), found)
		if v.unknown.unsignable {
			found("unknown.unsignable")
		}
		verifications.Put(v)
	}
	return len(all), names
}

// leftBehind finds the fields of memory that is used again: texts and pointers, and
// lists that are not empty or refer to something up to their capacity. Bytes behind the
// end of a list are overwritten before they are read.
func leftBehind(name string, v reflect.Value, found func(string)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			leftBehind(name+"."+v.Type().Field(i).Name, v.Field(i), found)
		}
	case reflect.Slice:
		if v.Len() > 0 {
			found(name)
		}
		if v.Type().Elem().Kind() != reflect.Uint8 {
			for i := range v.Cap() {
				leftBehind(name, v.Slice(0, v.Cap()).Index(i), found)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			leftBehind(name, v.Index(i), found)
		}
	case reflect.String, reflect.Pointer, reflect.Interface, reflect.Map, reflect.Func:
		if !v.IsZero() {
			found(name)
		}
	}
}

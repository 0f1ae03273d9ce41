package differential_test

import (
	"slices"
	"strings"
	"time"
)

// mutateAuthorization changes the credential of the header form.
func (d dice) mutateAuthorization(m *message) {
	i := m.find("Authorization")
	if i < 0 {
		return
	}
	l := &m.lines[i]
	token, text, _ := strings.Cut(strings.TrimLeft(l.value, " "), " ")
	fields := strings.Split(text, ",")
	j := d.IntN(len(fields))
	name, value, _ := strings.Cut(fields[j], "=")
	separator := ","
	switch d.IntN(16) {
	case 0:
		fields = slices.Delete(fields, j, j+1)
	case 1:
		fields = append(fields, " "+strings.Trim(fields[j], " "))
	case 2:
		slices.Reverse(fields)
	case 3:
		separator = pick(d, []string{", ", " ,", ",\t", " , ", ";", " ", ",,"})
	case 4:
		fields[j] = name + "=" + strings.ToUpper(value)
	case 5:
		fields[j] = name + "=" + d.mutateText(value)
	case 6:
		token = pick(d, []string{strings.ToLower(token), token + " ", "SDK-HMAC-SHA256", "SDK-HMAC-SM3", "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", "V11-HMAC-SHA256", "SDK-ECDSA-P256-SHA256", "SDK-SM2-SM3", "SDK-AES-128-CFB", "Basic", "", token + "\t"})
	case 7:
		fields = append(fields, pick(d, []string{" X=1", "", " Signature=00", " Access=a", " SignedHeaders=host", " Credential=a/b", " x"}))
	case 8:
		fields[j] = name + "="
	case 9: // another list
		for f := range fields {
			if before, list, ok := strings.Cut(fields[f], "SignedHeaders="); ok {
				fields[f] = before + "SignedHeaders=" + d.mutateList(m, list)
			}
		}
	case 10:
		fields[j] = strings.ToLower(name) + "=" + value
	case 11:
		fields[j] = name + "=" + strings.Replace(value, "/", pick(d, []string{"//", "", "/x/", "%2F"}), 1)
	case 12: // the key of another
		for f := range fields {
			for _, field := range []string{"Access=", "Credential="} {
				if before, credential, ok := strings.Cut(fields[f], field); ok {
					_, scope, scoped := strings.Cut(credential, "/")
					fields[f] = before + field + pick(d, keys).id
					if scoped {
						fields[f] += "/" + scope
					}
				}
			}
		}
	case 13:
		fields[j] = strings.Replace(fields[j], "=", pick(d, []string{" =", "= ", "==", ":"}), 1)
	case 14:
		d.mutateDate(m)
		return
	case 15:
		l.value = " " + token
		return
	}
	l.value = " " + token + " " + strings.Join(fields, separator)
}

// mutateDate moves the date, or writes it in another way.
func (d dice) mutateDate(m *message) {
	i := m.find(pick(d, []string{"X-Sdk-Date", "X-Amz-Date", "Date"}))
	if i < 0 {
		return
	}
	value := strings.Trim(m.lines[i].value, " ")
	if at, err := time.Parse(timestamp, value); err == nil && !d.one(4) {
		m.lines[i].value = " " + at.Add(time.Duration(pick(d, dates))*time.Second).Format(timestamp)
		return
	}
	m.lines[i].value = " " + d.mutateText(value)
}

// mutateList changes a list of signed headers.
func (d dice) mutateList(m *message, list string) string {
	names := strings.Split(list, ";")
	i := d.IntN(len(names))
	switch d.IntN(6) {
	case 0:
		names = slices.Delete(names, i, i+1)
	case 1:
		names = slices.Insert(names, i, names[i])
	case 2:
		names[i] = strings.ToUpper(names[i])
	case 3:
		names = append(names, strings.ToLower(pick(d, m.lines).name))
		slices.Sort(names)
	case 4:
		names = slices.Insert(names, i, "")
	case 5:
		names = append(names, pick(d, unsignable))
		slices.Sort(names)
	}
	return strings.Join(names, ";")
}

// mutateParameter changes a parameter of a credential in the query.
func (d dice) mutateParameter(m *message) {
	pieces := strings.Split(m.query, "&")
	var of []int
	for i, piece := range pieces {
		if strings.HasPrefix(piece, "X-Sdk-") || strings.HasPrefix(piece, "X-Amz-") {
			of = append(of, i)
		}
	}
	if len(of) == 0 {
		return
	}
	i := pick(d, of)
	name, value, _ := strings.Cut(pieces[i], "=")
	switch d.IntN(10) {
	case 0:
		pieces = slices.Delete(pieces, i, i+1)
	case 1:
		pieces = append(pieces, pieces[i])
	case 2:
		pieces = append(pieces, strings.ToLower(name)+"="+value)
	case 3:
		pieces[i] = strings.ToLower(name) + "=" + value
	case 4:
		pieces[i] = name + "=" + d.mutateText(value)
	case 5:
		pieces[i] = name + "="
	case 6:
		pieces[i] = name
	case 7:
		m.insert(d, line{name, " " + decode(value, true)})
	case 8:
		pieces[i] = d.respell(name) + "=" + value
	case 9:
		j := d.IntN(len(pieces))
		pieces[i], pieces[j] = pieces[j], pieces[i]
	}
	m.query = strings.Join(pieces, "&")
}

// compose returns a message of the parts of two.
func (d dice) compose(a, b *message) *message {
	m := a.clone()
	take := func(name string) {
		i, j := m.find(name), b.find(name)
		switch {
		case i >= 0 && j >= 0:
			m.lines[i].value = b.lines[j].value
		case j >= 0:
			m.insert(d, b.lines[j])
		case i >= 0:
			m.remove(name)
		}
	}
	switch d.IntN(10) {
	case 0: // the head of one with the body of the other
		m.body = b.body
		m.frame(d, pick(d, []framing{withLength, withLength, chunked}))
	case 1:
		take("Authorization")
	case 2: // credential and date of the other
		for _, name := range []string{"Authorization", "X-Sdk-Date", "X-Amz-Date", "Date"} {
			take(name)
		}
	case 3:
		m.method = b.method
	case 4:
		m.path = b.path
	case 5:
		m.query, m.mark = b.query, b.mark
	case 6:
		take("Host")
	case 7:
		take(pick(d, []string{"X-Amz-Content-Sha256", "X-Sdk-Content-Sha256", "X-Sdk-Content-Sm3", "X-Amz-Security-Token", "X-Security-Token", "X-Amz-Region-Set"}))
	case 8: // both credentials
		m.query, m.mark = m.query+"&"+b.query, true
	case 9:
		m.wire = a.wire + string(b.raw())
	}
	return m
}

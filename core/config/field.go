package config

import (
	"time"

	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/signer"
)

// keyType is one type of key of the format. The table of them, keyTypes,
// is the one place where a type is made known.
type keyType struct {
	name string
	// signs says that requests are signed, so that a store can tell a replay.
	signs  bool
	fields []keyField
	// scheme builds the scheme from all keys of this type in an environment.
	scheme func(keys []key, now func() time.Time) core.Scheme
	// signer makes what signs with a key of this type.
	signer func(SigningKey, SignOptions) (signer.Signer, error)
}

// keyField is a field that the keys of a type have beside name and type. A text
// "key" is the id that requests carry; where there is none, that is the name.
type keyField struct {
	name     string
	kind     kind
	required bool
	// rotates says that entries of previous have it. A type of which no field
	// rotates has no previous.
	rotates bool
	// limit is that of the gateway, for warnings.
	limit limit
	// manner is what honest values look like, for warnings.
	manner manner
	// check says what is wrong with a text, if anything.
	check func(text string) (rule string)
	// length is that of a secret which must have a certain one.
	length func(key) int
	// schemeField is the field of the scheme's key that this one fills. What
	// [core.Validator] reports of it is a problem of this field.
	schemeField string
}

// kind is what a field holds.
type kind int

const (
	aText kind = iota
	hidden
	aFlag
)

// key is a key of the file with its secrets found.
type key struct {
	name     string
	texts    map[string]string
	flags    map[string]bool
	secrets  map[string]core.Secret
	previous []previous
}

type previous struct {
	secrets map[string]core.Secret
	until   time.Time
}

func findType(name string) *keyType {
	for i := range keyTypes {
		if keyTypes[i].name == name {
			return &keyTypes[i]
		}
	}
	return nil
}

func (t *keyType) field(name string) *keyField {
	for i := range t.fields {
		if t.fields[i].name == name {
			return &t.fields[i]
		}
	}
	return nil
}

// rotating are the names of the fields that entries of previous have.
func (t *keyType) rotating() (names []string) {
	for _, f := range t.fields {
		if f.rotates {
			names = append(names, f.name)
		}
	}
	return names
}

// anyType has the fields of all types, those that are a secret of any type as
// secrets. A key whose type is not known is read as one, so that what else is
// wrong with it is reported as well.
var anyType = func() *keyType {
	union := new(keyType)
	for _, t := range keyTypes {
		for _, f := range t.fields {
			common := union.field(f.name)
			if common == nil {
				union.fields = append(union.fields, keyField{name: f.name})
				common = union.field(f.name)
			}
			common.kind, common.rotates = max(common.kind, f.kind), common.rotates || f.rotates
		}
	}
	return union
}()

func fieldNames(fields []keyField) (names []string) {
	for _, f := range fields {
		names = append(names, f.name)
	}
	return names
}

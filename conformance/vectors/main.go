// Command vectors writes the published test vectors: one file for each scheme, and one with
// collisions of its canonical request.
//
// The tables in this package have the requests. Signers that were written from
// docs/protocols.md, and share no code with the schemes, sign them. The files contain
// nothing random, so they are always the same.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"log"
	"os"
	"path/filepath"
	"slices"

	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

func main() {
	dir := flag.String("dir", ".", "folder to write the files to")
	flag.Parse()
	log.SetFlags(0)
	texts, err := generate()
	if err != nil {
		log.Fatal(err)
	}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(*dir, name), text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// generate returns the files by name.
func generate() (map[string][]byte, error) {
	texts := map[string][]byte{}
	var problems []error
	for _, f := range files() {
		content := vectors.File{Scheme: f.name, Keys: f.keys}
		for _, r := range f.rows {
			v, err := r.vector(&f)
			problems = append(problems, err)
			content.Vectors = append(content.Vectors, v)
		}
		text, err := encoded(content)
		problems = append(problems, err)
		texts[f.name+".json"] = text
		colliding, err := collisions(&f)
		problems = append(problems, err)
		if len(colliding) == 0 {
			continue
		}
		text, err = encoded(vectors.CollisionFile{Scheme: f.name, Keys: f.keys, Vectors: colliding})
		problems = append(problems, err)
		texts["collisions/"+f.name+".json"] = text
	}
	return texts, errors.Join(problems...)
}

func encoded(file any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(file)
	return b.Bytes(), err
}

// file has the rows of one file.
type file struct {
	name      string
	algorithm *algorithm // nil for schemes without a signature
	keys      []vectors.Key
	rows      []row
}

func files() []file {
	flat, scoped := signingKeys("", ""), signingKeys("cn-north-4", "apig")
	aesKeys, awsKeys, basicKeys, tokenKeys := aesKeys(), awsKeys(), basicKeys(), tokenKeys()
	unscoped := sdkKey
	unscoped.Region, unscoped.Service = "", ""
	all := []file{
		{"hmac", hmacSHA256, slices.Concat(flat, []vectors.Key{vpcKey, unscoped}), slices.Concat(workedHMAC(),
			sdkRows(hmacSHA256), flatRows(), rewriteRows(), presignedRows(hmacSHA256, flat))},
		{"aksk", aksk, scoped, slices.Concat(workedAKSK(), sdkRows(aksk), scopedRows(aksk), presignedRows(aksk, scoped))},
		{"v11", v11, slices.Concat(scoped, []vectors.Key{sdkKey}), slices.Concat(workedV11(), sdkRows(v11), scopedRows(v11))},
		{"hmac-sm3", hmacSM3, flat, slices.Concat(workedSDK(hmacSM3), sdkRows(hmacSM3), flatRows())},
		{"ecdsa-p256", ecdsaP256, flat, slices.Concat(workedSDK(ecdsaP256), sdkRows(ecdsaP256), flatRows(), curveRows(ecdsaP256))},
		{"sm2", sm2SM3, flat, slices.Concat(workedSDK(sm2SM3), sdkRows(sm2SM3), flatRows(), curveRows(sm2SM3))},
		{"aes", aesCFB, aesKeys, slices.Concat(workedAES(aesKeys), sdkRows(aesCFB), aesRows(aesKeys))},
		{"sigv4", sigV4, awsKeys, slices.Concat(workedSigV4(awsKeys), sigV4Rows(awsKeys), v4Rows(), scopedRows(sigV4),
			presignedRows(sigV4, awsKeys), objectRows(awsKeys))},
		{"sigv4a", sigV4A, awsKeys, slices.Concat(workedSigV4A(awsKeys), sigV4Rows(awsKeys), regionRows(), curveRows(sigV4A),
			presignedRows(sigV4A, awsKeys))},
		{"basic", nil, basicKeys, basicRows(basicKeys)},
		{"token", nil, tokenKeys, tokenRows(tokenKeys)},
	}
	for i := range all {
		f := &all[i]
		if f.algorithm != nil {
			f.rows = slices.Concat(f.rows, commonRows(f.algorithm, f.keys))
		}
		if f.name != "hmac" && f.name != "sigv4" {
			f.rows = slices.DeleteFunc(f.rows, func(r row) bool { return r.full })
		}
	}
	return all
}

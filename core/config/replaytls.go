package config

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/gatewayauth/gatewayauth/core"
)

// tlsEntry is the section tls of replay, as the file has it.
type tlsEntry struct {
	at                   map[string]mark // nil if there is none
	ca, certificate, key secretRef
	serverName           string
}

func (d *decoder) tlsTo(e *tlsEntry) func(value) {
	return func(v value) {
		e.at = d.mapping(v, "{ca: {file: ca.pem}}", fields{
			"ca":          d.secretTo(&e.ca),
			"certificate": d.secretTo(&e.certificate),
			"key":         d.secretTo(&e.key),
			"server_name": d.textTo(&e.serverName),
		})
		if _, set := e.at["certificate"]; set {
			d.required(v, e.at, "key", "the private key of the certificate, such as {file: client.key}")
		}
		if _, set := e.at["key"]; set {
			d.required(v, e.at, "certificate", "the certificate of the key, such as {file: client.pem}")
		}
	}
}

// references returns the files of the section, always in the same order.
func (e *tlsEntry) references() []secretRef { return []secretRef{e.ca, e.certificate, e.key} }

// tlsSettings are how the certificates of a store's servers are verified, and what is shown
// to them.
type tlsSettings struct {
	config *tls.Config // nil for the defaults
	source [4]core.Secret
}

func (s tlsSettings) equal(other tlsSettings) bool {
	for i := range s.source {
		if !same(s.source[i], other.source[i]) {
			return false
		}
	}
	return (s.config == nil) == (other.config == nil)
}

// find reads the certificates into the settings. It returns false if one is missing, or a
// problem was reported.
func (e *tlsEntry) find(secrets *secretFinder, s *settings) bool {
	if e.at == nil {
		return true
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: e.serverName}
	s.tls = tlsSettings{config, [4]core.Secret{3: core.NewSecret(e.serverName)}}
	for i, ref := range e.references() {
		if ref == (secretRef{}) {
			continue
		}
		if s.tls.source[i] = secrets.find(ref); s.tls.source[i].IsZero() {
			return false
		}
	}
	pem := func(i int) []byte { return []byte(s.tls.source[i].Reveal()) }
	ok := true
	problem := func(ref secretRef, rule string) {
		secrets.add(ref.mark, rule)
		ok = false
	}
	if e.ca != (secretRef{}) {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem(0)) {
			problem(e.ca, "holds no certificate in PEM")
		}
	}
	if e.certificate != (secretRef{}) && e.key != (secretRef{}) { // one alone is reported already
		pair, err := tls.X509KeyPair(pem(1), pem(2))
		switch {
		case err == nil:
			config.Certificates = []tls.Certificate{pair}
		case !x509.NewCertPool().AppendCertsFromPEM(pem(1)):
			problem(e.certificate, "holds no certificate in PEM")
		default:
			problem(e.key, "is not the unencrypted private key of the certificate, in PEM")
		}
	}
	return ok
}

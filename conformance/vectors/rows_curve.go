package main

import (
	"crypto/elliptic"
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/emmansun/gmsm/sm2"

	"github.com/gatewayauth/gatewayauth/core"
)

// curveRows returns the rows of signatures (r, s), which are accepted only in strict DER.
func curveRows(a *algorithm) []row {
	const (
		malformed = core.CodeCredentialMalformed
		mismatch  = core.CodeSignatureMismatch
	)
	n := elliptic.P256().Params().N
	if a == sm2SM3 {
		n = sm2.P256().Params().N
	}
	half := new(big.Int).Rsh(n, 1)
	high := func(d *draft) bool { return parts(d.signature).S.Cmp(half) > 0 }
	low := func(d *draft) bool { return !high(d) }
	// Both numbers of 32 bytes without a zero in front: 70 bytes in all.
	plain := func(d *draft) bool { return len(d.signature) == 140 }
	as := func(edit func(p pairRS) string) change {
		return signature(func(d *draft) string { return edit(parts(d.signature)) })
	}
	text := func(edit func(s string) string) change {
		return signature(func(d *draft) string { return edit(d.signature) })
	}
	rows := []row{
		accepted("signature-with-a-high-s", until(high)),
		accepted("signature-with-a-low-s", until(low)),
		tampered("signature-without-der", mismatch, as(func(p pairRS) string {
			raw := make([]byte, 64)
			p.R.FillBytes(raw[:32])
			p.S.FillBytes(raw[32:])
			return hex.EncodeToString(raw)
		})).note("r and s one after the other, of 32 bytes each (IEEE P1363)."),
		tampered("signature-with-a-byte-behind-it", mismatch, text(func(s string) string { return s + "00" })).signing(until(plain)),
		tampered("signature-with-a-long-length", mismatch, text(func(s string) string { return "3081" + s[2:] })).signing(until(plain)).
			note("BER, and not DER: the length in two bytes."),
		tampered("signature-with-a-padded-r", mismatch, text(func(s string) string {
			return "3045022100" + s[len("30440220"):]
		})).signing(until(plain)).note("BER, and not DER: a zero in front that is not needed."),
		tampered("signature-of-an-indefinite-length", mismatch, text(func(s string) string { return "3080" + s[4:] })).signing(until(plain)),
		tampered("signature-with-r-of-zero", mismatch, as(func(p pairRS) string { return der(new(big.Int), p.S) })),
		tampered("signature-with-s-of-zero", mismatch, as(func(p pairRS) string { return der(p.R, new(big.Int)) })),
		tampered("signature-with-r-of-the-order", mismatch, as(func(p pairRS) string { return der(n, p.S) })),
		tampered("signature-with-s-of-the-order", mismatch, as(func(p pairRS) string { return der(p.R, n) })),
		tampered("signature-with-r-negative", mismatch, as(func(p pairRS) string { return der(new(big.Int).Sub(p.R, n), p.S) })),
		tampered("signature-with-r-and-s-swapped", mismatch, as(func(p pairRS) string { return der(p.S, p.R) })),
		tampered("signature-of-one-and-one", mismatch, literally("3006020101020101")),
		tampered("signature-too-short", malformed, literally("30050201010200")).note("Fewer bytes than two numbers need."),
		tampered("signature-too-long", malformed, text(func(s string) string { return s + "000000000000" })).note("More bytes than two numbers of the curve have."),
	}
	other := as(func(p pairRS) string { return der(p.R, new(big.Int).Sub(n, p.S)) })
	if a == sm2SM3 {
		return append(rows, tampered("signature-with-the-other-s", mismatch, other))
	}
	return append(rows, accepted("signature-with-the-other-s").sending(other).
		note("(r, n-s) verifies wherever (r, s) does: a signature does not identify a request."))
}

// until signs requests that differ in a parameter until kind accepts the signature.
func until(kind func(*draft) bool) change {
	return func(d *draft) {
		for i := 0; ; i++ {
			try := *d
			try.target = fmt.Sprintf("/v1/items?try=%d", i)
			try.sign()
			if kind(&try) {
				d.target = try.target
				return
			}
		}
	}
}

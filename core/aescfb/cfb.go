package aescfb

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

// cfb is AES-CFB with full-block feedback (NIST SP 800-38A section 6.3), for
// one key and one vector. crypto/cipher has the mode too, but deprecates it
// because it does not authenticate. This implementation also keeps the encrypted
// vector from one message to the next.
type cfb struct {
	block cipher.Block
	bits  int
	first [aes.BlockSize]byte // the key stream of every first block
}

// cfbKey names the derivation of a cfb from a secret.
type cfbKey struct{}

// newCFB takes the text of a secret that [Key.core] made: vector, then key.
// With any other text it returns a cfb of 0 bits, which fits no algorithm.
func newCFB(text string) *cfb {
	if len(text) < aes.BlockSize {
		return new(cfb)
	}
	vector, key := []byte(text[:aes.BlockSize]), []byte(text[aes.BlockSize:])
	block, err := aes.NewCipher(key)
	if err != nil {
		return new(cfb)
	}
	c := &cfb{block: block, bits: 8 * len(key)}
	block.Encrypt(c.first[:], vector)
	return c
}

// encrypt appends the ciphertext of a plaintext to dst. Every block of key
// stream is the encryption of the ciphertext block before it.
func (c *cfb) encrypt(dst, plaintext []byte) []byte {
	stream := c.first
	for {
		var out [aes.BlockSize]byte
		n := subtle.XORBytes(out[:], plaintext, stream[:])
		dst = append(dst, out[:n]...)
		if plaintext = plaintext[n:]; len(plaintext) == 0 {
			return dst
		}
		c.block.Encrypt(stream[:], out[:])
	}
}

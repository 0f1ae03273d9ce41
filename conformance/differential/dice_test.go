package differential_test

import "math/rand/v2"

// dice are the choices of one message: the same seed and number give the same message,
// but for the nonces of ECDSA and SM2.
type dice struct {
	*rand.Rand
	calls bool // the messages are gRPC calls
}

func newDice(seed, number uint64) dice { return dice{Rand: rand.New(rand.NewPCG(seed, number))} }

// one is true once in n times.
func (d dice) one(n int) bool { return d.IntN(n) == 0 }

// pick returns one of a list.
func pick[T any](d dice, list []T) T { return list[d.IntN(len(list))] }

// text returns up to most bytes of an alphabet.
func (d dice) text(alphabet string, most int) string {
	b := make([]byte, d.IntN(most+1))
	for i := range b {
		b[i] = alphabet[d.IntN(len(alphabet))]
	}
	return string(b)
}

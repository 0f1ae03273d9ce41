package summary

import "fmt"

// Counted returns a number with the word for one, or for any other number.
func Counted[N int | int64](n N, one, other string) string {
	if n == 1 {
		other = one
	}
	return fmt.Sprintf("%d %s", n, other)
}

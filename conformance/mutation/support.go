package main

// support is compiled into the mutated package. One mutant at most is active in
// a process. It is chosen by an environment variable, so that all mutants are
// compiled together, once. A file named by MUTATION_REACHED gets a byte for
// each mutant that the process has reached; it is mapped into memory, so it is
// complete even if the process is killed.
const support = `
import (
	"cmp"
	"os"
	"strconv"
	"syscall"
)

var _mutantActive, _mutantReached = _mutantStart()

func _mutantStart() (int, []byte) {
	active, _ := strconv.Atoi(os.Getenv("MUTATION_ACTIVE"))
	f, err := os.OpenFile(os.Getenv("MUTATION_REACHED"), os.O_RDWR, 0)
	if err != nil {
		return active, nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		panic(err)
	}
	reached, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return active, reached
}

func _mutant(id int) bool {
	if _mutantReached != nil {
		_mutantReached[id] = 1
	}
	return id == _mutantActive
}

type _mutantInteger interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

func _mutantAdd[T _mutantInteger](id int, v, more T) T {
	if _mutant(id) {
		return v + more
	}
	return v
}

func _mutantZero[T any](id int, v T) T {
	if _mutant(id) {
		var zero T
		return zero
	}
	return v
}

func _mutantOther[T any](id int, v, other T) T {
	if _mutant(id) {
		return other
	}
	return v
}

func _mutantSwap[T any](id int, a, b T) (T, T) {
	if _mutant(id) {
		return b, a
	}
	return a, b
}

func _mutantLess[T cmp.Ordered](id int, a, b T) bool {
	if _mutant(id) {
		return a <= b
	}
	return a < b
}

func _mutantLessEqual[T cmp.Ordered](id int, a, b T) bool {
	if _mutant(id) {
		return a < b
	}
	return a <= b
}

func _mutantGreater[T cmp.Ordered](id int, a, b T) bool {
	if _mutant(id) {
		return a >= b
	}
	return a > b
}

func _mutantGreaterEqual[T cmp.Ordered](id int, a, b T) bool {
	if _mutant(id) {
		return a > b
	}
	return a >= b
}
`

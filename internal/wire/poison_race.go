//go:build race

package wire

// Poison overwrites memory that is to be used again, so that tests notice who still looks at it.
func Poison(b []byte) {
	for i := range b {
		b[i] = 0xDB
	}
}

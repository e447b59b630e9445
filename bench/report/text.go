package report

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Thousands writes a number of at least 1,000 whole and with commas, a smaller one with three digits.
func Thousands(x float64) string {
	if x < 1000 && x != math.Trunc(x) {
		return digits(x)
	}
	s := strconv.FormatFloat(math.Round(x), 'f', 0, 64)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// digits writes a number with about three digits.
func digits(x float64) string {
	switch abs := math.Abs(x); {
	case abs >= 99.95:
		return Thousands(math.Round(x))
	case abs >= 9.995:
		return strconv.FormatFloat(x, 'f', 1, 64)
	default:
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
}

// micros writes microseconds in a unit that suits them.
func micros(us float64) string {
	switch {
	case us == 0:
		return "–"
	case us < 1000:
		return digits(us) + " µs"
	case us < 1e6:
		return digits(us/1e3) + " ms"
	}
	return digits(us/1e6) + " s"
}

// bytesText writes a size of a value.
func bytesText(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1000 && n%1000 == 0:
		return fmt.Sprintf("%d kB", n/1000)
	}
	return fmt.Sprintf("%d B", n)
}

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(10 * time.Millisecond).String()
}

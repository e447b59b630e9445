//go:build unix

package faulttest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// events is what the nemesis did, for a failure's report, and how often, for everybody.
type events struct {
	begun time.Time

	mu     sync.Mutex
	lines  []string       // guarded by mu
	counts map[string]int // guarded by mu
}

func newEvents() *events {
	return &events{begun: time.Now(), counts: map[string]int{}}
}

// add records an event; kind is what is counted.
func (e *events) add(kind, format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts[kind]++
	e.lines = append(e.lines, fmt.Sprintf("%8.3fs %s: %s", time.Since(e.begun).Seconds(), kind, fmt.Sprintf(format, args...)))
}

func (e *events) totals() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(e.counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", kind, e.counts[kind]))
	}
	return strings.Join(parts, ", ")
}

func (e *events) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.lines, "\n")
}

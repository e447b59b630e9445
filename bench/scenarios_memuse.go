package main

import (
	"bytes"
	"os"
	"runtime/metrics"
	"strconv"
	"time"
)

// memoryInUse is what this process's heap objects, as the garbage collector has last found them in use, and its stacks take.
func memoryInUse() (bytes uint64) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(samples)
	for _, s := range samples {
		bytes += s.Value.Uint64()
	}
	return bytes
}

// watchMemory looks at memoryInUse until the function that it returns is called, which returns the most.
func watchMemory() (most func() uint64) {
	const every = 20 * time.Millisecond
	end, peak := make(chan struct{}), make(chan uint64)
	go func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for found := memoryInUse(); ; found = max(found, memoryInUse()) {
			select {
			case <-ticker.C:
			case <-end:
				peak <- found
				return
			}
		}
	}()
	return func() uint64 {
		close(end)
		return <-peak
	}
}

// residentBytes is the process's resident memory; 0 where /proc does not tell.
func residentBytes() uint64 {
	text, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(text)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize()) //nolint:gosec // a page has a size
}

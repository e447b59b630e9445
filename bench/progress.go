package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// A progress says what is under way: over and over in one line of a terminal, or now and then into a file.
type progress struct {
	begun    time.Time
	terminal bool

	mu sync.Mutex
	w  io.Writer // guarded by mu
}

func newProgress(f *os.File) *progress {
	info, err := f.Stat()
	return &progress{begun: time.Now(), terminal: err == nil && info.Mode()&os.ModeCharDevice != 0, w: f}
}

// say writes a line that stays.
func (p *progress) say(format string, args ...any) { p.write(format+"\n", args...) }

// show writes what is under way. Where it cannot be overwritten, only what is worth a line is written.
func (p *progress) show(line bool, format string, args ...any) {
	if p.terminal {
		p.write(format, args...)
	} else if line {
		p.say(format, args...)
	}
}

// done leaves the line.
func (p *progress) done() { p.say("measured") }

func (p *progress) write(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	start := ""
	if p.terminal {
		start = "\r\033[K"
	}
	_, _ = fmt.Fprintf(p.w, start+"%5.1fs  "+format, append([]any{time.Since(p.begun).Seconds()}, args...)...)
}

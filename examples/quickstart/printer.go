package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A printer writes headed steps, and a progress line below them.
type printer struct {
	terminal bool // a line can be rewritten

	mu    sync.Mutex
	w     io.Writer // guarded by mu, as all below
	steps int
	shown bool // the last line is a progress line
}

func newPrinter(w io.Writer) *printer {
	p := &printer{w: w}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// step heads a step.
func (p *printer) step(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	if p.steps > 0 {
		p.write("\n")
	}
	p.steps++
	p.write("%d. %s\n", p.steps, fmt.Sprintf(format, args...))
}

// line writes a line of the step.
func (p *printer) line(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.write("   %s\n", fmt.Sprintf(format, args...))
}

// width is what wrapped text keeps to, as far as its words allow.
const width = 96

// wrapped writes a long text in several lines.
func (p *printer) wrapped(text string) {
	var line string
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			p.line("  %s", line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	p.line("  %s", line)
}

func (p *printer) write(format string, args ...any) {
	_, _ = fmt.Fprintf(p.w, format, args...) // who cannot be told cannot be told so either
}

// clear removes the progress line.
func (p *printer) clear() {
	if p.shown {
		p.write("\r\x1b[K")
		p.shown = false
	}
}

// The pace of progress lines: one that is rewritten, and lines below each other.
const (
	paceTerminal = 100 * time.Millisecond
	paceLines    = 5 * time.Second
)

// progress tells how far done has come, until the function returned is called.
func (p *printer) progress(verb string, done *atomic.Int64, total int) (stop func()) {
	pace := paceLines
	if p.terminal {
		pace = paceTerminal
	}
	began := time.Now()
	ticker := time.NewTicker(pace)
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-quit:
				return
			case <-ticker.C:
			}
			n := int(done.Load())
			rate := float64(n) / time.Since(began).Seconds()
			p.showProgress(fmt.Sprintf("%s %s of %s files, %d %%, %s/s",
				verb, count(n), count(total), 100*n/total, count(int(rate))))
		}
	}()
	return func() {
		ticker.Stop()
		close(quit)
		<-ended
	}
}

func (p *printer) showProgress(text string) {
	if !p.terminal {
		p.line("%s", text)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.write("   %s", text)
	p.shown = true
}

// table is the last thing to be seen.
func (p *printer) table(t *tree, puts, gets load, mismatches int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	row := func(name, put, get string) { p.write("   %-12s%14s%14s\n", name, put, get) }
	p.write("\n")
	row("", "put", "get")
	row("files", count(len(puts.took)), count(len(gets.took)))
	row("bytes", megabytes(t.bytes), megabytes(t.bytes))
	row("seconds", seconds(puts.elapsed), seconds(gets.elapsed))
	row("files/s", count(puts.rate()), count(gets.rate()))
	row("p50", millis(puts.percentile(50)), millis(gets.percentile(50)))
	row("p99", millis(puts.percentile(99)), millis(gets.percentile(99)))
	row("mismatches", "", count(mismatches))
}

// count writes n with a comma between thousands.
func count(n int) string {
	digits := fmt.Sprint(n)
	var parts []string
	for len(digits) > 3 {
		parts = append([]string{digits[len(digits)-3:]}, parts...)
		digits = digits[:len(digits)-3]
	}
	return strings.Join(append([]string{digits}, parts...), ",")
}

func megabytes(n int64) string       { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
func millis(d time.Duration) string  { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1e3) }

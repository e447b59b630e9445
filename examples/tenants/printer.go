package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// A printer writes headed steps, and counts what is not as expected.
type printer struct {
	mu    sync.Mutex
	w     io.Writer // guarded by mu, as all below
	steps int
	wrong int
}

func newPrinter(w io.Writer) *printer { return &printer{w: w} }

// step heads a step.
func (p *printer) step(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
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
	p.write("   %s\n", fmt.Sprintf(format, args...))
}

// labelWidth is the width of what labelled puts before a line.
const labelWidth = 22

// labelled writes a line with a label before it, in a column of its own.
func (p *printer) labelled(label, format string, args ...any) {
	p.line("%-*s%s", labelWidth, label+":", fmt.Sprintf(format, args...))
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

// expect says what was expected where it is not so; the run goes on, and fails.
func (p *printer) expect(ok bool, format string, args ...any) {
	if ok {
		return
	}
	p.line("NOT AS EXPECTED: %s", fmt.Sprintf(format, args...))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wrong++
}

// verdict ends the output.
func (p *printer) verdict() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wrong > 0 {
		return fmt.Errorf("%d things were not as expected; the lines above say which", p.wrong)
	}
	p.write("\nall as expected\n")
	return nil
}

func (p *printer) write(format string, args ...any) {
	_, _ = fmt.Fprintf(p.w, format, args...) // who cannot be told cannot be told so either
}

// count writes n with a comma between thousands.
func count[N int | uint64](n N) string {
	digits := fmt.Sprint(n)
	var parts []string
	for len(digits) > 3 {
		parts = append([]string{digits[len(digits)-3:]}, parts...)
		digits = digits[:len(digits)-3]
	}
	return strings.Join(append([]string{digits}, parts...), ",")
}

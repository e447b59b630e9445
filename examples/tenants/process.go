package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// A process is a worker: another process of a service that uses the same cluster.
type process struct {
	work   string
	cmd    *exec.Cmd
	stdin  interface{ Close() error }
	said   chan event // closed when it says no more
	stderr bytes.Buffer
	ended  bool
}

// startWorker runs this program again.
func (s *stage) startWorker(_ context.Context, args ...string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	known, err := json.Marshal(s.backends)
	if err != nil {
		return nil, err
	}
	p := &process{work: args[0], cmd: exec.Command(program, args...), said: make(chan event, 16)}
	p.cmd.Env = append(os.Environ(), workerEnv+"="+string(known))
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w; if %s may not be executed, build with go build -o tenants ./examples/tenants", err, program)
	}
	go func() {
		defer close(p.said)
		lines := json.NewDecoder(stdout)
		for {
			var e event
			if lines.Decode(&e) != nil {
				return
			}
			p.said <- e
		}
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// await returns the next event of a kind. Others before it are passed over.
func (p *process) await(ctx context.Context, what string) (event, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errPatience)
	defer cancel()
	for {
		select {
		case e, ok := <-p.said:
			switch {
			case !ok:
				p.kill()
				return e, fmt.Errorf("process %d (%s) has ended: %s", p.pid(), p.work, strings.TrimSpace(p.stderr.String()))
			case e.What == what:
				return e, nil
			}
		case <-ctx.Done():
			return event{}, fmt.Errorf("process %d (%s) has not said %q: %w", p.pid(), p.work, what, context.Cause(ctx))
		}
	}
}

// finish lets the process end by itself, and returns its last word.
func (p *process) finish(ctx context.Context) (event, error) {
	_ = p.stdin.Close() // an error means that it has ended
	e, err := p.await(ctx, "done")
	p.kill()
	return e, err
}

// kill sends SIGKILL to the process, by its id, and waits for its end. A nil process has ended.
func (p *process) kill() {
	if p == nil || p.ended {
		return
	}
	p.ended = true
	_ = p.cmd.Process.Kill() // an error means that it has ended
	for range p.said {       // until it says no more
	}
	_ = p.cmd.Wait() // the error is "killed"
}

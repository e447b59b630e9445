package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

const (
	startLimit = 30 * time.Second // of a peer's servers together, on a busy machine
	endLimit   = 10 * time.Second // after its standard input has ended
)

// A process is this executable run as one of the servers.
type process struct {
	stdin  io.WriteCloser
	cmd    *exec.Cmd
	said   firstLine
	exited chan struct{}
	err    error // of the exit; set before exited is closed
}

// startProcesses runs the server of that name as many times as there are args, all at
// once since some wait for the others, and returns what each said: its address. If one fails, none runs.
func startProcesses(ctx context.Context, env Env, name string, args ...[]string) (addrs []string, stop func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	var all []*process
	stop = func() {
		var ended sync.WaitGroup
		for _, p := range all {
			ended.Go(p.stop)
		}
		ended.Wait()
	}
	for _, a := range args {
		p, err := startProcess(env, name, a)
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("peers: start %s: %w", name, err)
		}
		all = append(all, p)
	}
	for _, p := range all {
		addr, err := p.await(ctx)
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("peers: start %s: %w", name, err)
		}
		addrs = append(addrs, addr)
	}
	return addrs, stop, nil
}

// startProcess runs the command on a thread that lives until the command has ended: the kernel
// ties a child to the thread that started it, and Go may end a thread at any time.
func startProcess(env Env, name string, args []string) (*process, error) {
	p := &process{said: firstLine{line: make(chan string, 1)}, exited: make(chan struct{})}
	p.cmd = exec.Command(env.Self, args...) //nolint:gosec // this program
	p.cmd.Env = append(os.Environ(), ServeEnv+"="+name)
	p.cmd.Stdout, p.cmd.Stderr = &p.said, env.Log
	p.cmd.SysProcAttr = attributes()
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.exited)
		}
	}()
	return p, <-started
}

func (p *process) await(ctx context.Context) (string, error) {
	select {
	case line := <-p.said.line:
		return line, nil
	case <-p.exited:
		return "", fmt.Errorf("it ended: %w", errors.Join(p.err, io.ErrUnexpectedEOF))
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// stop has the process end itself, and kills it if it does not.
func (p *process) stop() {
	_ = p.stdin.Close() // an error means that it has ended
	timer := time.NewTimer(endLimit)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// A firstLine hands on the first line that is written to it, and drops the rest.
type firstLine struct {
	line chan string // has room for one
	got  bytes.Buffer
	sent bool
}

func (f *firstLine) Write(b []byte) (int, error) {
	if !f.sent {
		f.got.Write(b)
		if line, _, whole := strings.Cut(f.got.String(), "\n"); whole {
			f.line <- line
			f.sent = true
		}
	}
	return len(b), nil
}

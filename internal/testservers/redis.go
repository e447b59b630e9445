package testservers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Redis is a private Redis server. Its methods may be called by any goroutine.
type Redis struct{ server }

// StartRedis starts a server whose files go beneath dir ("" is os.TempDir). The args are as on
// redis-server's command line, a configuration file first if there is one, as in
// ("--appendonly", "yes", "--appendfsync", "always"). Unless they say otherwise nothing is kept on disk
// (--save ”). The caller calls Close, which removes the files. See ErrMissing.
func StartRedis(dir string, args ...string) (*Redis, error) {
	program, err := findRedis()
	if err != nil {
		return nil, err
	}
	r := &Redis{}
	r.name = "redis-server"
	if r.dir, err = os.MkdirTemp(dir, "redis-"); err != nil {
		return nil, fmt.Errorf("testservers: start redis-server: %w", err)
	}
	r.askToStop, r.askToEnd = politeStop, os.Kill // one that cannot save refuses to go
	r.answers = redisAnswers
	r.command = func(port int) *exec.Cmd {
		cmd := exec.Command(program, redisArgs(args, port, r.dir)...) //nolint:gosec // a server that we looked up
		cmd.Dir = r.dir
		return cmd
	}
	if err := r.begin(); err != nil {
		return nil, err
	}
	return r, nil
}

func redisArgs(args []string, port int, dir string) []string {
	var file []string
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		file, args = args[:1], args[1:]
	}
	ours := []string{"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", dir, "--daemonize", "no"}
	if !slices.Contains(args, "--save") && !slices.Contains(args, "--sentinel") {
		ours = append(ours, "--save", "")
	}
	return slices.Concat(file, ours, args)
}

// Addr is where the server listens, as host:port.
func (r *Redis) Addr() string { return address(r.port) }

// redisAnswers asks for the server's process id. One that wants a password or a
// user's right first is up too, and must be ours: another would have kept ours from its port.
func redisAnswers(ctx context.Context, port, pid int) (bool, error) {
	said, err := redisCommand(ctx, port, "PING")
	if err != nil || strings.HasPrefix(said, "-LOADING") {
		return false, nil //nolint:nilerr // not yet
	}
	said, err = redisCommand(ctx, port, "INFO server") // which a server that loads would answer
	switch {
	case err != nil:
		return false, nil //nolint:nilerr // not yet
	case strings.HasPrefix(said, "-"):
		return true, nil
	case !strings.Contains(said, fmt.Sprintf("\r\nprocess_id:%d\r\n", pid)):
		return false, errPortTaken
	default:
		return true, nil
	}
}

// flush empties the server.
func (r *Redis) flush(ctx context.Context) error {
	said, err := redisCommand(ctx, r.port, "FLUSHALL")
	if err == nil && strings.HasPrefix(said, "-") {
		err = errors.New(said)
	}
	if err != nil {
		return fmt.Errorf("testservers: FLUSHALL: %w", err)
	}
	return nil
}

// redisCommand sends one command and returns the answer, an error of the server's with its "-".
func redisCommand(ctx context.Context, port int, command string) (string, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address(port))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline) // without one it may take longer
	} else {
		_ = conn.SetDeadline(time.Now().Add(askLimit))
	}
	if _, err := io.WriteString(conn, command+"\r\n"); err != nil {
		return "", err
	}
	in := bufio.NewReader(conn)
	head, err := in.ReadString('\n')
	if err != nil || !strings.HasPrefix(head, "$") || strings.HasPrefix(head, "$-") {
		return strings.TrimSpace(head), err
	}
	size, err := strconv.Atoi(strings.TrimSpace(head[1:]))
	if err != nil || size < 0 || size > 1<<20 {
		return "", fmt.Errorf("redis said %q", head)
	}
	body := make([]byte, size)
	_, err = io.ReadFull(in, body)
	return string(body), err
}

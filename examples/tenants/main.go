// Command tenants shows what services that share a cluster get from it: two tenants with
// replication factors, levels and conflict policies of their own, kept in PostgreSQL together
// with the topology; payments that are retried by another process after a crash and take effect
// once, by records in Redis; and a data path that goes on while PostgreSQL is down.
//
//	go run ./examples/tenants
//
// It starts a PostgreSQL and a Redis of its own, on free ports of 127.0.0.1 and in a temporary
// directory, and five storage nodes. PAIRDB_POSTGRES_URL and PAIRDB_REDIS_ADDR name servers to
// be used instead: those are not stopped, so what that would show is left out. Whatever is
// started is stopped, and whatever is stored removed, also on Ctrl-C.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	goredis "github.com/redis/go-redis/v9"
)

const (
	exitFailed      = 1 // also when something is not as expected
	exitUsage       = 2
	exitInterrupted = 130 // as shells have it for Ctrl-C
)

func main() {
	goredis.SetLogger(quiet{}) // what it says of a server that is down comes as an error too
	if os.Getenv(workerEnv) != "" {
		os.Exit(workerMain(os.Args[1:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal, which cleans up, a second one kills.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("tenants", flag.ContinueOnError)
	flags.SetOutput(stderr)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage
	case flags.NArg() > 0:
		_, _ = fmt.Fprintf(stderr, "tenants: unexpected argument %q; there are none\n", flags.Arg(0))
		return exitUsage
	}
	err := show(ctx, newPrinter(stdout))
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		_, _ = fmt.Fprintln(stderr, "\ntenants: interrupted; all servers are stopped and their files removed")
		return exitInterrupted
	}
	_, _ = fmt.Fprintf(stderr, "\ntenants: %v\n", err)
	return exitFailed
}

// show runs the steps in order, and removes what they made.
func show(ctx context.Context, out *printer) (err error) {
	s := &stage{out: out}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, step := range []func(context.Context) error{
		s.startServers, s.startNodes, s.createAll, s.payments, s.counter,
		s.databaseDown, s.databaseBack, s.redisDown, s.holdings,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return out.verdict()
}

// quiet is a logger of go-redis that says nothing.
type quiet struct{}

// Printf implements go-redis's logger.
func (quiet) Printf(context.Context, string, ...any) {}

package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/devrev/pairdb/idempotency"
)

// Beside these, a full server is idempotency.ErrFull, and a key that holds no string is
// idempotency.ErrDamaged. What go-redis said is wrapped as well.
var (
	// ErrEvicting says that the server may drop records before their time, and without a
	// word. Nothing was recorded. See AllowEviction.
	ErrEvicting = errors.New("the Redis server evicts keys")
	// ErrReadOnly says that the server is a replica, which takes no writes.
	ErrReadOnly = errors.New("the Redis server is a read-only replica")
	// ErrNotReady says that the server, or the part of the cluster that has the record, refuses for
	// a reason that passes or that its operator can mend.
	ErrNotReady = errors.New("the Redis server is not ready")
	// ErrDenied says that the server wants a password, or gives the user too few rights.
	ErrDenied = errors.New("the Redis server denies access")
)

// A refusal is what a code at the start of an error of Redis's means.
type refusal struct {
	kind   error
	advice string
}

var refusals = map[string]refusal{
	"OOM":         {idempotency.ErrFull, "give the server more maxmemory, or records a shorter time to live"},
	"READONLY":    {ErrReadOnly, "let the client find the master, through Sentinel or as a Cluster client"},
	"LOADING":     {ErrNotReady, "it reads its data from disk; try again"},
	"BUSY":        {ErrNotReady, "a script of somebody's keeps it busy"},
	"MASTERDOWN":  {ErrNotReady, "it is a replica that has lost its master"},
	"CLUSTERDOWN": {ErrNotReady, "look at CLUSTER INFO: slots have no owner, or most masters are out of reach"},
	"TRYAGAIN":    {ErrNotReady, "the slot is being moved; try again"},
	"NOREPLICAS":  {ErrNotReady, "fewer replicas keep up than min-replicas-to-write wants"},
	"MISCONF":     {ErrNotReady, "it cannot write to its disk; see its log"},
	"NOAUTH":      {ErrDenied, "give the client a password"},
	"WRONGPASS":   {ErrDenied, "the client's user name or password is wrong"},
	"NOPERM":      {ErrDenied, "let its user run GET, SET, PEXPIRE, EVAL and EVALSHA on the keys of the prefix, and in a cluster COMMAND, CLUSTER SLOTS and CLUSTER SHARDS"},
	"DENIED":      {ErrDenied, "protected mode is on: set a password on the server"},
	"WRONGTYPE":   {idempotency.ErrDamaged, "another program uses the key: give the records a Prefix of their own"},
}

// failed wraps what go-redis said of the record called name.
func failed(ctx context.Context, what, name string, err error) error {
	doing := fmt.Sprintf("idempotency/redis: %s %s", what, name)
	if ended := ctxError(ctx, err); ended != nil {
		if errors.Is(err, ended) {
			return fmt.Errorf("%s: %w", doing, err)
		}
		return fmt.Errorf("%s: %w: %w", doing, ended, err)
	}
	if r, ok := refusals[code(err)]; ok {
		return fmt.Errorf("%s: %w (%s): %w", doing, r.kind, r.advice, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// ctxError returns why ctx ended, if that is why err came about. The connection's deadline is
// that of ctx, and may be noticed before ctx itself does.
func ctxError(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	var timeout net.Error
	deadline, ok := ctx.Deadline()
	if ok && errors.As(err, &timeout) && timeout.Timeout() && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// code is the word that an error reply begins with; "" if err is none. Servers before 7.0 put the place
// in the script, and a minus, before it.
func code(err error) string {
	var reply goredis.Error
	if !errors.As(err, &reply) {
		return ""
	}
	text := reply.Error()
	if strings.HasPrefix(text, "@user_script") {
		_, text, _ = strings.Cut(text, ": -")
	}
	word, _, _ := strings.Cut(text, " ")
	return word
}

package redis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

const (
	// lookEvery is how long a server is trusted to stay as it is configured: an operator changes that by hand.
	lookEvery = time.Minute
	// lookAgain is the time for one caller to look again; the others go on meanwhile.
	lookAgain = 5 * time.Second

	noEviction = "noeviction"
)

// An eviction remembers when the servers are to be asked whether they evict.
type eviction struct {
	due atomic.Int64 // Unix nanoseconds; zero until they have been found in order
}

// refuseEviction is ErrEvicting if a server would drop records before their time. It asks at first,
// after a refusal, and about once a minute.
func (s *Store) refuseEviction(ctx context.Context, name string) error {
	if s.allowEviction {
		return nil
	}
	now := time.Now()
	due := s.eviction.due.Load()
	switch {
	case due == 0: // all who call look for themselves, until one has found the servers in order
	case now.UnixNano() < due:
		return nil
	case !s.eviction.due.CompareAndSwap(due, now.Add(lookAgain).UnixNano()):
		return nil // another looks
	}
	err := s.look(ctx)
	switch {
	case errors.Is(err, ErrEvicting):
		s.eviction.due.Store(0)
		return err
	case err != nil:
		return failed(ctx, "CONFIG GET before", name, err)
	}
	s.eviction.due.Store(now.Add(lookEvery).UnixNano())
	return nil
}

// lookPatience bounds the look at several servers, one of which may hang and hold up what the others could do.
const lookPatience = 100 * time.Millisecond

// look asks every server that may hold a record. One that cannot be asked counts for nothing if there are
// others: what it holds cannot be had either, and what they hold can.
func (s *Store) look(ctx context.Context) error {
	var each func(context.Context, func(context.Context, *goredis.Client) error) error
	switch c := s.client.(type) {
	case *goredis.ClusterClient:
		each = c.ForEachMaster
	case *goredis.Ring:
		each = c.ForEachShard
	default:
		return lookAt(ctx, c)
	}
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	var mu sync.Mutex
	var found error // guarded by mu
	err := each(ctx, func(ctx context.Context, server *goredis.Client) error {
		if err := lookAt(ctx, server); errors.Is(err, ErrEvicting) {
			mu.Lock()
			defer mu.Unlock()
			found = err
		}
		return nil
	})
	if found == nil && ctx.Err() != nil { // some hang: what the others hold can be had
		return nil
	}
	return errors.Join(err, found)
}

// lookAt is nil too where the server does not say.
func lookAt(ctx context.Context, server interface {
	ConfigGet(ctx context.Context, parameter string) *goredis.MapStringStringCmd
},
) error {
	config, err := server.ConfigGet(ctx, "maxmemory*").Result()
	if c := code(err); c == "NOPERM" || c == "ERR" {
		return nil // it forbids the question
	}
	if err != nil {
		return err
	}
	most, policy := config["maxmemory"], config["maxmemory-policy"]
	if most == "" || most == "0" || policy == "" || policy == noEviction {
		return nil
	}
	return fmt.Errorf("idempotency/redis: %w: maxmemory is %s and maxmemory-policy %s, so that records would vanish and "+
		"their writes could take effect twice: CONFIG SET maxmemory-policy %s, or use a server that holds nothing that may be dropped; "+
		"AllowEviction goes on all the same", ErrEvicting, most, policy, noEviction)
}

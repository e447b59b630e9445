package peers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/devrev/pairdb/internal/testservers"
)

const (
	// redisWait bounds a WAIT, below go-redis's 3 s for an answer. With replicas on
	// the same machine it never comes to that.
	redisWait = 2 * time.Second

	// redisPool is the number of connections.
	redisPool = 64
)

// redisReplicated is a peer whose servers sync their append-only files by that word of Redis's. With "always" a
// replica's acknowledgement leaves after its sync as well, since Redis writes what it has for its
// connections after it has written the file.
func redisReplicated(fsync, means string) Peer {
	name := "redis-" + fsync
	return Peer{
		Name: name,
		About: "primary and two replicas, go-redis, SET and WAIT 1 in one round trip; " +
			"appendfsync " + fsync + ": " + means + "; GET from the primary alone",
		Start: func(ctx context.Context, env Env) (Store, func(), error) {
			store, stop, err := startRedis(ctx, env, fsync)
			if err != nil {
				return nil, nil, fmt.Errorf("peers: start %s: %w", name, err)
			}
			return store, stop, nil
		},
	}
}

type redisStore struct{ client *redis.Client }

// startRedis starts redis-server from PATH three times.
func startRedis(ctx context.Context, env Env, fsync string) (Store, func(), error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	args := []string{"--appendonly", "yes", "--appendfsync", fsync, "--repl-diskless-sync-delay", "0"}
	var running []*testservers.Redis
	stop := func() {
		for _, r := range running {
			_ = r.Close() // its files stay behind at worst
		}
	}
	for range servers {
		r, err := testservers.StartRedis(env.Dir, args...)
		if err != nil {
			stop()
			return nil, nil, err
		}
		running = append(running, r)
		if len(running) == 1 {
			host, port, err := net.SplitHostPort(r.Addr())
			if err != nil {
				stop()
				return nil, nil, err
			}
			args = append(args, "--replicaof", host, port)
		}
	}
	s := &redisStore{redis.NewClient(&redis.Options{Addr: running[0].Addr(), PoolSize: redisPool})}
	stopServers := stop
	stop = func() {
		_ = s.client.Close() // its connections end with it in any case
		stopServers()
	}
	if err := s.awaitReplicas(ctx); err != nil {
		stop()
		return nil, nil, err
	}
	return s, stop, nil
}

// awaitReplicas returns when both replicas have what is written.
func (s *redisStore) awaitReplicas(ctx context.Context) error {
	for {
		n, err := s.set(ctx, "ready", nil, servers-1, 100*time.Millisecond)
		switch {
		case err != nil:
			return err
		case n == servers-1:
			return s.client.Del(ctx, "ready").Err()
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

// set returns how many replicas have the value.
func (s *redisStore) set(ctx context.Context, key string, value []byte, replicas int, limit time.Duration) (int64, error) {
	pipe := s.client.Pipeline()
	set := pipe.Set(ctx, key, value, 0)
	wait := pipe.Do(ctx, "WAIT", replicas, limit.Milliseconds())
	_, _ = pipe.Exec(ctx) // each command has its own error
	n, err := wait.Int64()
	return n, errors.Join(set.Err(), err)
}

func (s *redisStore) Put(ctx context.Context, key string, value []byte) error {
	replicas, err := s.set(ctx, key, value, needed-1, redisWait)
	if err == nil && replicas < needed-1 {
		err = fmt.Errorf("peers: redis: no replica has the value after %v", redisWait)
	}
	return err
}

func (s *redisStore) Get(ctx context.Context, key string) ([]byte, error) {
	value, err := s.client.Get(ctx, key).Bytes()
	if errors.Is(err, redis.Nil) {
		err = ErrNotFound
	}
	return value, err
}

package redis

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

// digestBytes is how much of the hash a record's name has: enough that nobody can make two pairs of
// key and token that share a record.
const digestBytes = 24

// A Store keeps idempotency records in Redis. It implements idempotency.Store, and may be used by
// any number of goroutines. It has no goroutine and no connection of its own, and so no Close.
type Store struct {
	client        goredis.UniversalClient
	prefix        string
	allowEviction bool
	eviction      eviction
}

var _ idempotency.Store = (*Store)(nil)

// New returns a store on the client, which stays the caller's to close, and must have
// ContextTimeoutEnabled. It does no I/O. Every kind
// of client will do: single, failover (Sentinel), Cluster and Ring; the package comment says how
// each is to be set up, and why a Ring is not a good one.
func New(client goredis.UniversalClient, opts ...Option) (*Store, error) {
	if client == nil {
		return nil, errNoClient
	}
	if err := checkTimeout(client); err != nil {
		return nil, err
	}
	s := &Store{client: client, prefix: DefaultPrefix}
	for _, o := range opts {
		if err := o.apply(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// RecordName returns the name of key's record in Redis, for operators: prefix, cluster, tenant and a digest
// of key and token, so that it has a bounded length and any bytes may be in those.
func (s *Store) RecordName(key idempotency.Key) string {
	h := sha256.New()
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(key.Key)))) // a hash takes all
	_, _ = h.Write([]byte(key.Key))
	_, _ = h.Write([]byte(key.Token))
	digest := base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:digestBytes])
	return s.prefix + key.Cluster + ":" + key.Tenant + ":" + digest
}

// Lookup implements idempotency.Store with a GET.
func (s *Store) Lookup(ctx context.Context, key idempotency.Key) (idempotency.Record, bool, error) {
	if err := firstError(key.Validate(), ctx.Err()); err != nil {
		return idempotency.Record{}, false, err
	}
	name := s.RecordName(key)
	has, err := s.client.Get(ctx, name).Bytes()
	switch {
	case errors.Is(err, goredis.Nil):
		return idempotency.Record{}, false, nil
	case err != nil:
		return idempotency.Record{}, false, failed(ctx, "look up", name, err)
	}
	rec, err := decode("look up", name, has)
	return rec, err == nil, err
}

// Begin implements idempotency.Store.
func (s *Store) Begin(ctx context.Context, key idempotency.Key, intent idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
	return s.put(ctx, put{what: "begin", script: beginScript, key: key, intent: intent, ttl: ttl})
}

// Replace implements idempotency.Store.
func (s *Store) Replace(ctx context.Context, key idempotency.Key, old vclock.Dot, intent idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
	dot := idempotency.AppendDot(nil, old)
	return s.put(ctx, put{what: "replace", script: replaceScript, key: key, intent: intent, ttl: ttl, more: []any{dot}})
}

// A put is a Begin or a Replace.
type put struct {
	what   string
	script *goredis.Script
	key    idempotency.Key
	intent idempotency.Intent
	ttl    time.Duration
	more   []any // arguments of the script
}

func (s *Store) put(ctx context.Context, p put) (idempotency.Record, bool, error) {
	if err := firstError(p.key.Validate(), p.intent.Validate(), idempotency.CheckTTL(p.ttl), ctx.Err()); err != nil {
		return idempotency.Record{}, false, err
	}
	name := s.RecordName(p.key)
	if err := s.refuseEviction(ctx, name); err != nil {
		return idempotency.Record{}, false, err
	}
	ours := idempotency.AppendRecord(nil, idempotency.Record{Intent: p.intent})
	has, err := s.run(ctx, p.script, name, append([]any{ours, milliseconds(p.ttl)}, p.more...)...)
	if err != nil {
		return idempotency.Record{}, false, failed(ctx, p.what, name, err)
	}
	if has == nil { // what is there is ours; it is read back, as the answer is not to share the intent's memory
		has = ours
	}
	rec, err := decode(p.what, name, has)
	return rec, err == nil && rec.Intent.Dot() == p.intent.Dot(), err
}

// Complete implements idempotency.Store.
func (s *Store) Complete(ctx context.Context, key idempotency.Key, intent idempotency.Intent, result idempotency.Result, ttl time.Duration) error {
	err := firstError(key.Validate(), intent.Validate(), result.Validate(), idempotency.CheckTTL(ttl), ctx.Err())
	if err != nil {
		return err
	}
	name := s.RecordName(key)
	finished := idempotency.AppendRecord(nil, idempotency.Finished(intent, result))
	has, err := s.run(ctx, completeScript, name, finished, milliseconds(ttl))
	switch {
	case err != nil:
		return failed(ctx, "complete", name, err)
	case has == nil:
		return nil
	}
	if _, err := decode("complete", name, has); err != nil {
		return err
	}
	return fmt.Errorf("idempotency/redis: complete %s: %w", name, idempotency.ErrReplaced)
}

// run returns what is at the record's key if the script left it alone, else nil.
func (s *Store) run(ctx context.Context, script *goredis.Script, name string, args ...any) ([]byte, error) {
	answer, err := script.Run(ctx, s.client, []string{name}, args...).Result()
	if err != nil {
		return nil, err
	}
	switch a := answer.(type) {
	case int64:
		return nil, nil
	case string:
		return []byte(a), nil
	default:
		return nil, fmt.Errorf("the script answered with a %T", answer)
	}
}

func decode(what, name string, b []byte) (idempotency.Record, error) {
	rec, err := idempotency.DecodeRecord(b)
	if err != nil {
		return idempotency.Record{}, fmt.Errorf("idempotency/redis: %s %s: %w", what, name, err)
	}
	return rec, nil
}

// milliseconds rounds up: a record lives at least as long as was asked for.
func milliseconds(ttl time.Duration) int64 {
	return int64((ttl + time.Millisecond - 1) / time.Millisecond)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

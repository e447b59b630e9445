package node

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/vclock"
)

// A Core is the node's rules over an engine (package comment). It is safe for
// use by many goroutines.
type Core struct {
	engine   Engine
	identity Identity
	store    uint64
	config   Config
	latches  *latches
	cache    *stateCache
	shelves  shelver // where a key's state is looked for first; nil is not known
	failing  Failing // the engine, if it is one
	sync     *syncer
	window   window
	clock    *clock
	jumpLog  notice
	floorLog notice
	load     *load
	counters counters

	failed   atomic.Pointer[error] // the engine's first error (invariant 7)
	failOnce sync.Once
}

// New opens the node id on engine, which it does not close. An empty engine
// becomes id's, with a random store id; one that is another's is refused with
// ErrForeignStore, one that cannot be read, or holds data but no record of whose
// it is, with ErrDamaged, one that a newer program wrote with ErrVersion, a setting
// out of bounds with ErrConfig.
func New(engine Engine, id Identity, config Config) (*Core, error) {
	config = config.withDefaults()
	if err := errors.Join(id.validate(), config.Limits.validate()); err != nil {
		return nil, err
	}
	store, err := openStore(engine, id, config.Random)
	if err != nil {
		return nil, err
	}
	c := &Core{
		engine: engine, identity: id, store: store, config: config,
		latches: new(latches),
		cache:   newStateCache(config.CacheBytes),
		load:    newLoad(config.Limits.InHandOps, config.Limits.InHandBytes),
	}
	c.failing, _ = engine.(Failing)
	if c.shelves, _ = engine.(shelver); c.cache != nil {
		c.shelves = c.cache
	}
	if c.sync, err = openSyncer(engine, config.Limits.Window, c.fail); err != nil {
		return nil, err
	}
	c.window.rely(c.sync.floor.Load())
	c.clock = newClock(config.Now(), config.Elapsed, config.Limits.Skew)
	c.report(c.moment())
	return c, nil
}

// Close waits for what is on its way to the disk. It is called once, after the
// last operation.
func (c *Core) Close() { c.sync.close() }

// Identity returns what the core was opened as.
func (c *Core) Identity() Identity { return c.identity }

// StoreID returns the random number that the store got when it was made.
func (c *Core) StoreID() uint64 { return c.store }

// Limits returns the limits in force.
func (c *Core) Limits() Limits { return c.config.Limits }

// Err returns why the node has stopped answering; nil while it does.
func (c *Core) Err() error {
	if err := c.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Do runs one operation and returns its answer, when it could leave. It passes by
// the interceptor and the bounds on work in hand.
func (c *Core) Do(op *wire.Operation) *wire.Answer {
	answered := make(direct, 1)
	c.run([]*wire.Operation{op}, time.Now(), answered)
	return <-answered
}

// DoAll runs operations as one frame, and returns their answers in any order, when all could leave.
// Otherwise it is as Do.
func (c *Core) DoAll(ops []*wire.Operation) []*wire.Answer {
	if len(ops) == 0 {
		return nil
	}
	put := make(gatherer, len(ops))
	c.run(ops, time.Now(), put)
	answers := make([]*wire.Answer, 0, len(ops))
	for len(answers) < len(ops) {
		for _, r := range <-put {
			answers = append(answers, r.answer)
		}
	}
	return answers
}

// Inspect returns what the node holds for a key, on disk or not.
func (c *Core) Inspect(tenant string, key []byte) (vclock.Policy, vclock.State, error) {
	engineKey, token := appendKey(nil, tenant, key)
	s := c.latches.of(token)
	s.mu.RLock()
	defer s.mu.RUnlock()
	held, err := c.get(engineKey, new(batch))
	return held.policy, held.state, err
}

// oldest returns the window's length before now, in Unix milliseconds.
func (c *Core) oldest(now time.Time) int64 { return now.Add(-c.config.Limits.Window).UnixMilli() }

// moment reads the clock for a batch that is about to be applied.
func (c *Core) moment() moment {
	now := c.config.Now()
	return moment{now: now, floor: c.window.floor(c.oldest(now)), jump: c.clock.jumped(now)}
}

// report logs why client writes are refused at that moment, if they are. It is
// called without latches.
func (c *Core) report(at moment) {
	if at.jump != 0 && c.jumpLog.due() {
		c.config.Log.Error("this node's clock has jumped; client writes are refused until it is back, or has kept its new time for the skew limit",
			"node", c.identity.Node, "by", at.jump, "clock", at.now, "skew limit", c.config.Limits.Skew)
	}
	if ahead := at.floor - at.now.UnixMilli(); ahead > 0 && c.floorLog.due() {
		c.config.Log.Error("the window's floor is ahead of this clock: client writes are refused until then, for later ones were refused as too old "+
			"before and stay so. Put the clock right if it is behind; else wait, or replace the store as for a lost disk",
			"node", c.identity.Node, "ahead", span(ahead), "until", time.UnixMilli(at.floor).UTC(), "clock", at.now)
	}
}

// fail makes the first engine error final, and returns the error that stands.
func (c *Core) fail(doing string, err error) error {
	c.failOnce.Do(func() {
		err = fmt.Errorf("%s: %w", doing, err)
		c.failed.Store(&err)
		c.sync.stop(err)
		c.config.Log.Error("the store has failed; the node answers DISK to everything until it is restarted. "+
			"Mend or replace the disk, then restart the node; if its data is gone, start it on an empty directory",
			"cluster", c.identity.Cluster, "node", c.identity.Node, "store", StoreIDString(c.store), "error", err)
		if c.config.OnFailure != nil {
			c.config.OnFailure(err)
		}
	})
	return c.Err()
}

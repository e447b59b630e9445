package vclock_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/devrev/pairdb/vclock"
)

// Two writers edit what they both read, without seeing each other; a third
// reads both values and writes their merge.
func ExampleJoin() {
	write := func(ctx vclock.Clock, actor vclock.Actor, value string) vclock.State {
		return vclock.WriteState(vclock.Causal, ctx, vclock.Sibling{
			Dot:   vclock.Dot{Actor: actor, Stamp: ctx.Newest() + 1},
			Value: []byte(value),
		})
	}
	show := func(s vclock.State) {
		var values []string
		for _, sib := range s.Siblings {
			values = append(values, string(sib.Value))
		}
		fmt.Println(strings.Join(values, " | "))
	}

	base := write(nil, 0x100, "tea")
	milk := write(base.Clock, 0x200, "tea+milk")
	lemon := write(base.Clock, 0x300, "tea+lemon")

	replica := vclock.Join(vclock.Causal, base, milk)
	show(replica)
	replica = vclock.Join(vclock.Causal, replica, lemon)
	show(replica)
	replica = vclock.Join(vclock.Causal, replica, write(replica.Clock, 0x200, "tea+milk+lemon"))
	show(replica)
	replica = vclock.Join(vclock.Causal, replica, base) // late, and seen already
	show(replica)
	// Output:
	// tea+milk
	// tea+milk | tea+lemon
	// tea+milk+lemon
	// tea+milk+lemon
}

func ExampleClock_Compare() {
	a := vclock.Clock{{Actor: 0x100, Stamp: 7}}
	b := a.With(vclock.Dot{Actor: 0x200, Stamp: 3})
	c := a.With(vclock.Dot{Actor: 0x100, Stamp: 8})
	fmt.Println(a.Compare(a), a.Compare(b), b.Compare(a), b.Compare(c))
	// Output: equal before after concurrent
}

// Two writes from one old context get actors that do not hide each other; a
// write that has seen an actor's last dot goes on with that actor.
func ExampleMinter() {
	seed := uint64(0xcafe00)
	m := vclock.NewMinter(1_000, func() uint64 { seed += 0x100; return seed })
	var hlc vclock.HLC
	key := vclock.KeyHash{Lo: 1}
	mint := func(ctx vclock.Clock) vclock.Dot {
		dot, pin := m.Mint(key, ctx, hlc.Next(1_000))
		m.Release(pin) // when the write has ended
		return dot
	}

	first := mint(nil)
	beside := mint(nil)
	after := mint(vclock.Clock{first})
	fmt.Println(first.Actor)
	fmt.Println(beside.Actor)
	fmt.Println(after.Actor)
	// Output:
	// 0000000000caff/0
	// 0000000000caff/1
	// 0000000000caff/0
}

// A context travels as text, through a web form for example, and serves only
// the key that it was read from.
func ExampleContext() {
	cart := vclock.Scope("prod", "shop", "cart:7")
	text := vclock.NewContext(cart, vclock.Clock{{Actor: 0x100, Stamp: 7}}).String()

	var ctx vclock.Context
	if err := ctx.UnmarshalText([]byte(text)); err != nil {
		fmt.Println(err)
		return
	}
	clock, err := ctx.Clock(cart)
	fmt.Println(len(clock), err)
	_, err = ctx.Clock(vclock.Scope("prod", "shop", "cart:8"))
	fmt.Println(errors.Is(err, vclock.ErrForeignContext))
	// Output:
	// 1 <nil>
	// true
}

// An HLC follows the wall clock, and goes on when that goes back.
func ExampleHLC() {
	var h vclock.HLC
	a, b, c := h.Next(1_000), h.Next(1_000), h.Next(900)
	fmt.Println(a.Millis(), a.Counter())
	fmt.Println(b.Millis(), b.Counter())
	fmt.Println(c.Millis(), c.Counter())
	const minute = 60_000
	fmt.Println(h.Observe(vclock.StampOf(1_000+2*minute, 0), 1_000, minute))
	// Output:
	// 1000 0
	// 1000 1
	// 1000 2
	// false
}

func ExampleDecodeState() {
	s := vclock.WriteState(vclock.Causal, nil, vclock.Sibling{
		Dot:   vclock.Dot{Actor: 0x100, Stamp: 7},
		Value: []byte("v"),
	})
	stored := vclock.AppendState(nil, vclock.Causal, s)
	policy, got, err := vclock.DecodeState(stored)
	fmt.Println(policy, got.Equal(s), err)
	_, _, err = vclock.DecodeState(stored[:3])
	fmt.Println(errors.Is(err, vclock.ErrMalformed))
	// Output:
	// causal true <nil>
	// true
}

package pairdb

import (
	"context"
	"encoding/json"
	"fmt"
)

// A Codec turns values of T into bytes and back. It must be safe for several goroutines.
type Codec[T any] interface {
	Encode(v T) ([]byte, error)
	Decode(b []byte) (T, error)
}

// JSON is the Codec of encoding/json.
type JSON[T any] struct{}

// Encode returns the JSON of v.
func (JSON[T]) Encode(v T) ([]byte, error) { return json.Marshal(v) }

// Decode reads JSON.
func (JSON[T]) Decode(b []byte) (v T, err error) {
	err = json.Unmarshal(b, &v)
	return v, err
}

// Typed is a Tenant whose values are of one Go type, merged by one function.
type Typed[T any] struct {
	tenant  *Tenant
	codec   Codec[T]
	resolve Resolver
}

// TypedObject is an Object with its value decoded.
type TypedObject[T any] struct {
	Value T // the zero T unless Found
	Object
}

// NewTyped makes a typed view of t. Conflicting siblings are folded with merge, oldest first;
// merge must be pure, and should be commutative, associative and idempotent, so
// that clients that merge at once agree. A nil merge leaves conflicts to the resolver of
// the client or of the call.
func NewTyped[T any](t *Tenant, codec Codec[T], merge func(a, b T) (T, error)) *Typed[T] {
	typed := &Typed[T]{tenant: t, codec: codec}
	if merge != nil {
		typed.resolve = func(_ string, live []Sibling) ([]byte, error) { return fold(codec, merge, live) }
	}
	return typed
}

func fold[T any](codec Codec[T], merge func(a, b T) (T, error), live []Sibling) ([]byte, error) {
	var sum T
	for i := range live {
		v, err := codec.Decode(live[i].Value)
		if err != nil {
			return nil, fmt.Errorf("decode sibling %v: %w", live[i].Dot, err)
		}
		if i == 0 {
			sum = v
			continue
		}
		if sum, err = merge(sum, v); err != nil {
			return nil, fmt.Errorf("merge sibling %v: %w", live[i].Dot, err)
		}
	}
	return codec.Encode(sum)
}

// Get is Tenant.Get, decoded. A value that does not decode is an error, with
// the Object as it was read.
func (t *Typed[T]) Get(ctx context.Context, key string, opts ...ReadOption) (TypedObject[T], error) {
	if t.resolve != nil {
		opts = append([]ReadOption{ResolveWith(t.resolve)}, opts...)
	}
	obj, err := t.tenant.Get(ctx, key, opts...)
	typed := TypedObject[T]{Object: obj}
	if err != nil {
		return typed, err
	}
	if typed.Value, err = t.codec.Decode(obj.Value); err != nil {
		return typed, fmt.Errorf("pairdb: get %s/%q: decode: %w", t.tenant.id, shorten(key), err)
	}
	return typed, nil
}

// Put is Tenant.Put of the encoded value.
func (t *Typed[T]) Put(ctx context.Context, key string, value T, opts ...WriteOption) (Receipt, error) {
	b, err := t.codec.Encode(value)
	if err != nil {
		return Receipt{}, fmt.Errorf("pairdb: put %s/%q: encode: %w (%w)", shownTenant(t.tenant.id), shorten(key), err, ErrNotApplied)
	}
	return t.tenant.Put(ctx, key, b, opts...)
}

// Delete is Tenant.Delete.
func (t *Typed[T]) Delete(ctx context.Context, key string, opts ...WriteOption) (Receipt, error) {
	return t.tenant.Delete(ctx, key, opts...)
}

// Update is Tenant.Update: not atomic across clients, but with a merge function
// nothing is lost either, since racing results are merged by the next reader. fn gets the
// decoded value (the zero T where Found is false) and may return SkipWrite or DeleteKey.
func (t *Typed[T]) Update(ctx context.Context, key string, fn func(TypedObject[T]) (T, error), opts ...UpdateOption) (Receipt, error) {
	if t.resolve != nil {
		opts = append([]UpdateOption{ResolveWith(t.resolve)}, opts...)
	}
	return t.tenant.Update(ctx, key, func(obj Object) ([]byte, error) {
		typed := TypedObject[T]{Object: obj}
		if obj.Found() {
			var err error
			if typed.Value, err = t.codec.Decode(obj.Value); err != nil {
				return nil, fmt.Errorf("decode: %w", err)
			}
		}
		v, err := fn(typed)
		if err != nil {
			return nil, err
		}
		return t.codec.Encode(v)
	}, opts...)
}

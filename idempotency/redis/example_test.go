package redis_test

import (
	"fmt"

	goredis "github.com/redis/go-redis/v9"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/idempotency/redis"
)

func ExampleNew() {
	client := goredis.NewFailoverClient(&goredis.FailoverOptions{
		MasterName:            "records",
		SentinelAddrs:         []string{"sentinel-1:26379", "sentinel-2:26379", "sentinel-3:26379"},
		ContextTimeoutEnabled: true, // a call ends when its context does
	})
	defer client.Close()
	store, err := redis.New(client, redis.Prefix("shop:"))
	if err != nil {
		fmt.Println(err)
		return
	}
	// pairdb.Open(ctx, source, pairdb.WithIdempotency(store))

	key := idempotency.Key{Cluster: "eu-1", Tenant: "shop", Key: "order/17", Token: "from the request's header"}
	fmt.Println(store.RecordName(key))
	// Output: shop:eu-1:shop:LOaidm1MwgmGUwEAlTTkcwKctg54aWED
}

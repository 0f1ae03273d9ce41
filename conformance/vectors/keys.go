package main

import "github.com/gatewayauth/gatewayauth/internal/vectors"

// signingKeys returns the keys of an environment. The first is bound unless a row has
// another one.
func signingKeys(region, service string) []vectors.Key {
	scoped := func(k vectors.Key) vectors.Key {
		k.Region, k.Service = region, service
		return k
	}
	return []vectors.Key{
		scoped(vectors.Key{Name: "orders_key", Key: "AKTESTAKTEST0001", Secret: "sktest-0123456789abcdef0123456789abcdef"}),
		scoped(vectors.Key{Name: "partner_key", Key: "AKTESTAKTEST0007", Secret: "sktest-fedcba9876543210fedcba9876543210"}),
		scoped(vectors.Key{Name: "temporary_key", Key: "AKTESTAKTEST0002", Secret: "sktest-22222222222222222222222222222222",
			SessionToken: "token/of+the+temporary/key=="}),
		scoped(vectors.Key{Name: "rotated_key", Key: "AKTESTAKTEST0003", Secret: "sktest-33333333333333333333333333333333",
			Previous: []vectors.Previous{{Secret: "sktest-retired-retired-retired-retired", Until: instant("20260115T120500Z")}}}),
	}
}

// Indexes of the keys.
const (
	orders = iota
	partner
	temporary
	rotated
)

func aesKeys() []vectors.Key {
	const vector = "vector-987654321"
	return []vectors.Key{
		{Name: "orders_key", Algorithm: "aes-128-cfb", Key: "aesKey-123456789", Secret: vector},
		{Name: "partner_key", Algorithm: "aes-128-cfb", Key: "aesKey-partner-7", Secret: "vector-partner-7"},
		{Name: "long_key", Algorithm: "aes-256-cfb", Key: "aesKey-123456789-0123456789abcde", Secret: vector},
		{Name: "rotated_key", Algorithm: "aes-128-cfb", Key: "aesKey-current-3", Secret: "vector-current-3",
			Previous: []vectors.Previous{{Key: "aesKey-retired-3", Secret: "vector-retired-3", Until: instant("20260115T120500Z")}}},
	}
}

const long = 2

func basicKeys() []vectors.Key {
	return []vectors.Key{
		{Name: "basic_key", Key: "basicuser", Secret: "basic-pass-123"},
		{Name: "partner_key", Key: "partneruser", Secret: "basic-pass-789"},
	}
}

func tokenKeys() []vectors.Key {
	account := vectors.Key{Name: "token_key", User: "gateway", Password: "service-password-1", Domain: "Default", Project: "service"}
	project := account
	project.Name, project.CallerProject = "project_key", "project-1"
	return []vectors.Key{account, project}
}

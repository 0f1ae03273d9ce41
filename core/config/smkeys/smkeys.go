// Package smkeys lets an environments file have keys of the types hmac-sm3 and sm2:
//
//	v, err := config.Watch(ctx, "environments.yaml", "RELEASE", smkeys.Option())
//
// It links package core/apig/sm, and with it github.com/emmansun/gmsm, which package
// config alone does not.
package smkeys

import (
	"github.com/gatewayauth/gatewayauth/core"
	"github.com/gatewayauth/gatewayauth/core/apig/sm"
	"github.com/gatewayauth/gatewayauth/core/config"
)

// Option returns the option of [config.Load] and [config.Watch] with which an environment
// can have keys of the types hmac-sm3 and sm2. It is also one of [config.SigningKey.Signer].
func Option() config.Extension {
	return config.Extension{
		HMACSM3: &config.KeyScheme{
			Scheme: func(keys core.KeySource) core.Scheme { return sm.New(sm.Config{Keys: keys}) },
			Signer: sm.NewSigner,
		},
		SM2: &config.KeyScheme{
			Scheme: func(keys core.KeySource) core.Scheme { return sm.NewSM2(sm.Config{Keys: keys}) },
			Signer: sm.NewSM2Signer,
		},
	}
}

module github.com/gatewayauth/gatewayauth

go 1.26.0

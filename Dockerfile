# An image of the command gatewayauth alone, for gatewayauth guard beside a service.
# The program has the version that .git says, so .git is part of what docker reads.
#
#   docker build -t gatewayauth .
#   docker run -p 8080:8080 -v "$PWD/environments.yaml:/environments.yaml:ro" -e ORDERS_SECRET gatewayauth \
#     guard -config /environments.yaml -env RELEASE -listen :8080 -to http://service:8000

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags=-s -o /gatewayauth ./cmd/gatewayauth

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /gatewayauth /gatewayauth
USER 65532:65532
ENTRYPOINT ["/gatewayauth"]

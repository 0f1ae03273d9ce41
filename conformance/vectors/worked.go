package main

import (
	"github.com/gatewayauth/gatewayauth/internal/vectors"
)

// Values that other software computed. The generator fails if it computes another
// signature.

var (
	vpcKey = vectors.Key{Name: "vpc_key", Key: "AKTESTAKTEST0004", Secret: "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc"}
	sdkKey = vectors.Key{Name: "sdk_key", Key: "AccessKey", Secret: "SecretKey", Region: "test-region-1", Service: "demo"}
)

var (
	unsignedHost = vectors.Policy{RequireSigned: []string{}}
	ofSDKTests   = []change{target("/path?limit=1"), dated("20060102T150405Z"), lists("x-sdk-date")}
)

func workedHMAC() []row {
	return []row{
		accepted("worked-get").found("cb3128d2ea5ec59f2d17b821e4d9f2b89ebab00480e3cdcef7a73963f66bf868").
			note("Computed with two other implementations."),
		accepted("worked-post").post().found("0498b4c814b625bfeb2064ba494f5e54b5f785b2792f25115a13fc559986f936").
			note("Computed with two other implementations."),
		accepted("worked-signing-guide", target("/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0"),
			hostIs("service.region.example.com"), dated("20191115T033655Z"), header("Content-Type: application/json"), signs("content-type")).by(vpcKey).when("20191115T033655Z").
			found("7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe").
			note("From the vendor's signing guide, which signs Content-Type as well. The hash of the canonical request is b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a."),
		accepted("worked-sdk-test", ofSDKTests...).by(sdkKey).when("20060102T150405Z").under(unsignedHost).
			found("5a2ce64c865e0e6046321c6f3d5a77ba8413eeaf355c3166c03d58d02ac79624").note("From the tests of the vendor's Go SDK."),
	}
}

func workedAKSK() []row {
	return []row{accepted("worked-get").found("9596d87a0031752c865248525f6ffc0cf2609f771f0189cf5c4d1f8e6e2e171b").
		note("Computed with another implementation.")}
}

func workedV11() []row {
	return []row{
		accepted("worked-get").found("0b9a29bed88eb06b650a5b6156c0060f4707b4865255a794e64e6cfba5599013").
			note("Computed with two other implementations."),
		accepted("worked-sdk-test", ofSDKTests...).by(sdkKey).when("20060102T150405Z").under(unsignedHost).
			found("8fd3610508884bb19718317797c7378716a94bc740d97502e569322e366341cc").note("From the tests of the vendor's Go SDK."),
	}
}

// workedSDK returns rows with values of the vendor's Go SDK. Random signatures have the
// SDK's nonce.
func workedSDK(a *algorithm) []row {
	r := accepted("worked-go-sdk", method("POST"), body(`{"amount":100}`)).note("Made by the vendor's Go SDK.")
	switch a {
	case hmacSM3:
		return []row{r.found("fb15e31a228d81562aa0a8459d825029c9d6fba9c26ea870b48a480b880a0264")}
	case ecdsaP256:
		return []row{r.sending(literally("304402205eb1dabdf594a9b8e8050fde756a47a8b4b7cefc63865b24a1442b57b3de37ab" +
			"022057b19851a3d59eb3a575c4b4e6224543b69a45ada764ccafeaba2ff4f49ece70"))}
	case sm2SM3:
		return []row{r.sending(literally("3045022100a39a8debcd26813565b84fde29eabddd7d6ff30f455795e4cd946dc4ecd7790402" +
			"204db9f0ec7383fa97064dd104485326e51ce20240e5a7bc21783afbb47cef6d34"))}
	}
	return nil
}

func workedAES(keys []vectors.Key) []row {
	return []row{
		accepted("worked-128").found("a7e312e16904567213978263c418d75feadf6918d18c478b5b15e90e9609ff8b").
			note("Computed with openssl enc -aes-128-cfb."),
		accepted("worked-256").by(keys[long]).found("e8c12aba7807f7ad929bdec92ad11174ce4963825aec2c1e15e92d9b8749ee1b").
			note("Computed with openssl enc -aes-256-cfb."),
	}
}

// Values of AWS's signing test suite (tests/aws-signing-test-suite of aws-c-auth), and of
// AWS's guide "Authenticating Requests (AWS Signature Version 4)" for S3.
const (
	suiteDate = "20150830T123600Z"
	guideDate = "20130524T000000Z"
)

var ofSuite = []change{target("/"), hostIs("example.amazonaws.com"), dated(suiteDate)}

func workedSigV4(keys []vectors.Key) []row {
	return []row{
		accepted("worked-get").found("8bebe40d96bd54623c6fe6da4ee1c541cf55b13eeb5b1d0c82dd5aa0b5d00013").
			note("Computed with another implementation."),
		accepted("worked-suite-get-vanilla", ofSuite...).by(keys[suite]).when(suiteDate).
			found("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31").note("From AWS's signing test suite."),
		accepted("worked-suite-query-order", ofSuite...).signing(target("/?Param2=value2&Param1=value1")).by(keys[suite]).when(suiteDate).
			found("b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500").note("From AWS's signing test suite."),
		accepted("worked-guide-get-object", target("/test.txt"), hostIs("examplebucket.s3.amazonaws.com"), dated(guideDate),
			header("Range: bytes=0-9"), signs("range"), declaresBody("")).by(keys[guide]).when(guideDate).
			found("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41").note("From AWS's guide to signing for S3."),
		accepted("worked-guide-query-form", target("/test.txt"), hostIs("examplebucket.s3.amazonaws.com"), dated(guideDate),
			presigned("86400"), payloadLine("UNSIGNED-PAYLOAD")).by(keys[guide]).when("20130524T235959Z").
			under(vectors.Policy{AllowPresigned: true, AllowUnsignedPayload: true}).
			found("aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404").note("From AWS's guide to signing for S3."),
	}
}

// workedSigV4A returns rows with signatures of other signers, with their own nonces.
func workedSigV4A(keys []vectors.Key) []row {
	of := func(name, digits string, changes ...change) row {
		return accepted("worked-suite-"+name, ofSuite...).signing(changes...).by(keys[suite]).when(suiteDate).
			sending(literally(digits)).note("From AWS's signing test suite.")
	}
	return []row{
		of("get-vanilla", "3046022100fddaaf816a31e30d04973875b13bc27b98da10907a3a1872fd5819a221334abc022100de2ee81d83b54f31efc82834de07e6cd4d5c6f25bfa08e0f29a15bb0977c343e"),
		of("query-order", "30450220394fa0699225f403514cb4db03b7c479f64c5f9864bf520b871bb23a054d6517022100d4445c909fc62a43c6c485a8582621e0e14c6ef1e4218072bc2dcaffc1188f18",
			target("/?Param2=value2&Param1=value1")),
	}
}

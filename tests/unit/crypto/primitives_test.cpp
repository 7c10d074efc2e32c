#include "crypto/primitives.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "unit/crypto/bytes_of.h"
#include "unit/crypto/low_order_points.h"

namespace mxp::test {
BOOST_AUTO_TEST_SUITE(primitives)

// FIPS 180-4 example, and the empty message.
BOOST_AUTO_TEST_CASE(sha256_gives_the_published_digests) {
  BOOST_TEST(to_hex(sha256(text_bytes("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST(to_hex(sha256(ByteView{})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

BOOST_AUTO_TEST_CASE(parts_hash_as_if_they_were_joined) {
  const Bytes a = text_bytes("a"), bc = text_bytes("bc");
  BOOST_TEST(sha256({a, ByteView{}, bc}) == sha256(text_bytes("abc")));
  BOOST_TEST((hmac_sha256(a, {a, bc}) == hmac_sha256(a, text_bytes("abc"))));
}

// RFC 4231 §4.2 to §4.8 (test case 5 is about truncation).
BOOST_AUTO_TEST_CASE(hmac_gives_the_values_of_rfc_4231) {
  struct Case {
    Bytes key;
    Bytes data;
    std::string expected;
  };
  const std::vector<Case> cases = {
      {repeated(0x0b, 20), text_bytes("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {text_bytes("Jefe"), text_bytes("what do ya want for nothing?"),
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {repeated(0xaa, 20), repeated(0xdd, 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {counting(0x01, 25), repeated(0xcd, 50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {repeated(0xaa, 131), text_bytes("Test Using Larger Than Block-Size Key - Hash Key First"),
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {repeated(0xaa, 131),
       text_bytes("This is a test using a larger than block-size key and a larger than block-size data. The key needs "
                  "to be hashed before "
                  "being used by the HMAC algorithm."),
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const Case& c : cases) BOOST_TEST(to_hex(hmac_sha256(c.key, c.data).view()) == c.expected);
}

BOOST_AUTO_TEST_CASE(an_empty_hmac_key_is_not_the_key_before) {
  const Bytes data = text_bytes("data");
  const auto empty = hmac_sha256(ByteView{}, data);
  (void)hmac_sha256(text_bytes("another key"), data);
  BOOST_TEST((hmac_sha256(ByteView{}, data) == empty));
  BOOST_TEST((empty == hmac_sha256(repeated(0, 64), data)));  // RFC 2104 §2: keys are padded with zeros to the block
}

// RFC 5869, A.1 to A.3.
BOOST_AUTO_TEST_CASE(hkdf_gives_the_values_of_rfc_5869) {
  struct Case {
    Bytes ikm, salt, info;
    std::string prk, okm;
  };
  const std::vector<Case> cases = {
      {repeated(0x0b, 22), counting(0x00, 13), counting(0xf0, 10),
       "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
       "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
      {counting(0x00, 80), counting(0x60, 80), counting(0xb0, 80),
       "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
       "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b"
       "8367793a9aca3db71"
       "cc30c58179ec3e87c14c01d5c1f3434f1d87"},
      {repeated(0x0b, 22),
       {},
       {},
       "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
       "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
  };
  for (const Case& c : cases) {
    const auto prk = hkdf_extract(c.salt, c.ikm);
    BOOST_TEST(to_hex(prk.view()) == c.prk);
    Bytes okm(c.okm.size() / 2);
    hkdf_expand(prk.view(), {c.info}, okm);
    BOOST_TEST(to_hex(okm) == c.okm);
    // The same info in two parts.
    Bytes again(okm.size());
    const std::size_t half = c.info.size() / 2;
    hkdf_expand(prk.view(), {ByteView(c.info).first(half), ByteView(c.info).subspan(half)}, again);
    BOOST_TEST(to_hex(again) == c.okm);
  }
}

BOOST_AUTO_TEST_CASE(noise_hkdf_is_rfc_5869_with_empty_info) {
  const Bytes chaining_key = counting(0x20, 32), material = counting(0x60, 32);
  const auto [first, second] = noise_hkdf2(chaining_key, material);
  Bytes both(64);
  hkdf_expand(hkdf_extract(chaining_key, material).view(), {}, both);
  BOOST_TEST(to_hex(first.view()) + to_hex(second.view()) == to_hex(both));
}

// RFC 7748 §5.2: the second point has its top bit set, which must be ignored.
BOOST_AUTO_TEST_CASE(x25519_gives_the_values_of_rfc_7748) {
  const auto first = x25519(private_key("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                            public_key("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"));
  BOOST_REQUIRE(first.has_value());
  BOOST_TEST(to_hex(first->view()) == "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  const auto second = x25519(private_key("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
                             public_key("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"));
  BOOST_REQUIRE(second.has_value());
  BOOST_TEST(to_hex(second->view()) == "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

// RFC 7748 §5.2: k = u = 9, then (k, u) = (X25519(k, u), k).
BOOST_AUTO_TEST_CASE(x25519_iterated_a_thousand_times_gives_the_value_of_rfc_7748) {
  std::array<std::uint8_t, 32> k{9}, u{9};
  for (int i = 1; i <= 1000; ++i) {
    const auto next = x25519(PrivateKey::from_bytes(k), PublicKey(u));
    BOOST_REQUIRE(next.has_value());
    u = k;
    std::copy(next->view().begin(), next->view().end(), k.begin());
    if (i == 1) BOOST_TEST(to_hex(k) == "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
  }
  BOOST_TEST(to_hex(k) == "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

// RFC 7748 §6.1.
BOOST_AUTO_TEST_CASE(both_sides_of_x25519_agree) {
  const PrivateKey alice = private_key("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const PrivateKey bob = private_key("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  BOOST_TEST(to_hex(alice.public_key().bytes()) == "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  BOOST_TEST(to_hex(bob.public_key().bytes()) == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  const auto a = x25519(alice, bob.public_key());
  const auto b = x25519(bob, alice.public_key());
  BOOST_REQUIRE((a && b));
  BOOST_TEST((*a == *b));
  BOOST_TEST(to_hex(a->view()) == "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

BOOST_AUTO_TEST_CASE(every_low_order_point_is_refused) {
  const PrivateKey mine = private_key("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  for (const PublicKey& point : low_order_keys()) {
    const auto shared = x25519(mine, point);
    BOOST_TEST_CONTEXT(to_hex(point.bytes())) {
      BOOST_REQUIRE(!shared.has_value());
      BOOST_TEST((shared.error() == DhError::all_zero));
    }
  }
}

BOOST_AUTO_TEST_CASE(points_of_low_order_only_with_the_top_bit_counted_are_ordinary) {
  const PrivateKey mine = private_key("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  for (const std::string_view point : kLowOrderOnlyUnmasked) {
    auto masked = hex_array<32>(point);
    masked[31] &= 0x7f;
    const auto shared = x25519(mine, public_key(point));
    const auto of_masked = x25519(mine, PublicKey(masked));
    BOOST_REQUIRE((shared && of_masked));
    BOOST_TEST((*shared == *of_masked));
  }
}

struct AeadCase {
  Suite suite;
  std::string key, nonce, aad, plaintext, ciphertext, tag;
};

const std::vector<AeadCase>& aead_cases() {
  static const std::vector<AeadCase> cases = {
      // RFC 8439 §2.8.2
      {Suite::chacha20_poly1305, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
       "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
       to_hex(text_bytes("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
                         "sunscreen would be it.")),
       "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2"
       "905d6a5b67ecd3b36"
       "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116",
       "1ae10b594f09e26a7e902ecbd0600691"},
      // RFC 9001 A.5
      {Suite::chacha20_poly1305, "c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8",
       "e0459b3474bdd0e46d417eb0", "4200bff4", "01", "65", "5e5cd55c41f69080575d7999c25a5bfb"},
      // The GCM specification (McGrew and Viega), test cases 13, 14 and 16
      {Suite::aes_256_gcm, std::string(64, '0'), std::string(24, '0'), "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
      {Suite::aes_256_gcm, std::string(64, '0'), std::string(24, '0'), "", std::string(32, '0'),
       "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
      {Suite::aes_256_gcm, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
       "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
       "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de65"
       "7ba637b39",
       "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0"
       "abcc9f662",
       "76fc6ece0f4e1768cddf8853bb2d551b"},
  };
  return cases;
}

BOOST_AUTO_TEST_CASE(both_aeads_give_the_published_values) {
  for (const AeadCase& c : aead_cases()) {
    Aead aead(c.suite, hex_secret(c.key));
    const auto nonce = hex_array<12>(c.nonce);
    // Twice with one object, both ways: it must be ready for the next message after each, whatever its direction.
    for (int round = 0; round < 2; ++round) {
      Bytes data = hex(c.plaintext);
      std::array<std::uint8_t, 16> tag{};
      aead.seal(nonce, hex(c.aad), data, tag);
      BOOST_TEST(to_hex(data) == c.ciphertext);
      BOOST_TEST(to_hex(tag) == c.tag);
      Bytes elsewhere(data.size());
      BOOST_TEST(aead.open(nonce, hex(c.aad), data, elsewhere, tag));
      BOOST_TEST(to_hex(elsewhere) == c.plaintext);
      BOOST_TEST(to_hex(data) == c.ciphertext);
      BOOST_TEST(aead.open(nonce, hex(c.aad), data, tag));
      BOOST_TEST(to_hex(data) == c.plaintext);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_aead_refuses_any_change_and_goes_on) {
  for (const Suite suite : kSuites) {
    Aead aead(suite, hex_secret(to_hex(counting(1, 32))));
    const AeadNonce nonce{1, 2, 3};
    const Bytes aad = counting(0, 9), plaintext = counting(100, 20);
    Bytes sealed = plaintext;
    std::array<std::uint8_t, 16> tag{};
    aead.seal(nonce, aad, sealed, tag);

    for (std::size_t i = 0; i < sealed.size(); ++i) {
      Bytes changed = sealed;
      changed[i] ^= 1;
      BOOST_TEST(!aead.open(nonce, aad, changed, tag));
    }
    for (std::size_t i = 0; i < tag.size(); ++i) {
      auto changed = tag;
      changed[i] ^= 0x80;
      Bytes data = sealed;
      BOOST_TEST(!aead.open(nonce, aad, data, changed));
    }
    for (std::size_t i = 0; i < aad.size(); ++i) {
      Bytes changed = aad, data = sealed;
      changed[i] ^= 4;
      BOOST_TEST(!aead.open(nonce, changed, data, tag));
    }
    Bytes data = sealed;
    BOOST_TEST(!aead.open(AeadNonce{1, 2, 4}, aad, data, tag));
    data = sealed;
    BOOST_TEST(!aead.open(nonce, ByteView{}, data, tag));
    data = sealed;
    BOOST_REQUIRE(aead.open(nonce, aad, data, tag));
    BOOST_TEST(data == plaintext);
  }
}

BOOST_AUTO_TEST_CASE(constant_time_equal_compares_size_and_bytes) {
  const Bytes a = counting(0, 16);
  Bytes b = a;
  BOOST_TEST(constant_time_equal(a, b));
  BOOST_TEST(constant_time_equal(ByteView{}, ByteView{}));
  BOOST_TEST(!constant_time_equal(a, ByteView(b).first(15)));
  b[15] ^= 1;
  BOOST_TEST(!constant_time_equal(a, b));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(secrets)

BOOST_AUTO_TEST_CASE(a_moved_from_secret_is_wiped) {
  const SecretArray<32> zero;
  SecretArray<32> first = hex_secret(to_hex(counting(1, 32)));
  const SecretArray<32> copy = first;
  SecretArray<32> second = std::move(first);
  BOOST_TEST((second == copy));
  BOOST_TEST((first == zero));  // NOLINT(bugprone-use-after-move): that is what is asked
  SecretArray<32> third;
  third = std::move(second);
  BOOST_TEST((third == copy));
  BOOST_TEST((second == zero));  // NOLINT
}

BOOST_AUTO_TEST_CASE(a_secret_is_wiped_when_it_goes) {
  alignas(SecretArray<32>) std::array<std::uint8_t, sizeof(SecretArray<32>)> place{};
  auto* secret = new (place.data()) SecretArray<32>(hex_secret(to_hex(counting(1, 32))));
  BOOST_TEST(place[0] == 1);
  secret->~SecretArray();
  const volatile std::uint8_t* left = place.data();
  for (std::size_t i = 0; i < place.size(); ++i) BOOST_TEST(left[i] == 0);
}

BOOST_AUTO_TEST_CASE(secrets_differ_in_any_byte) {
  const SecretArray<32> secret = hex_secret(to_hex(counting(1, 32)));
  for (std::size_t i = 0; i < 32; ++i) {
    SecretArray<32> other = secret;
    other.bytes()[i] ^= 1;
    BOOST_TEST(!(other == secret));
  }
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace mxp::test

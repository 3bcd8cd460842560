// What every object store must do. A suite is instantiated with a factory of places, in which the
// same objects can be opened again and again.
#ifndef HEADWATER_TESTS_CONTRACT_OBJECT_STORE_CONTRACT_H_
#define HEADWATER_TESTS_CONTRACT_OBJECT_STORE_CONTRACT_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/storage/object_store.h"
#include "gtest/gtest.h"

namespace headwater {

class ObjectStorePlace {
 public:
  virtual ~ObjectStorePlace() = default;
  // A store as another process would open it.
  virtual std::unique_ptr<ObjectStore> Open() = 0;
};

struct ObjectStoreKind {
  std::string name;
  std::function<std::unique_ptr<ObjectStorePlace>()> make_place;
  std::vector<std::string> put_failpoints;            // Every step of Put().
  std::vector<std::string> put_if_absent_failpoints;  // Every step of PutIfAbsent().
};

class ObjectStoreContract : public testing::TestWithParam<ObjectStoreKind> {};

}  // namespace headwater

#endif  // HEADWATER_TESTS_CONTRACT_OBJECT_STORE_CONTRACT_H_

from vmbmodel import formulas as formulas
from vmbmodel.grid import sweep as sweep
from vmbmodel.inventory.fleet import read_fleet as read_fleet
from vmbmodel.inventory.fleet import sample_fleet as sample_fleet
from vmbmodel.plan import Scenario as Scenario
from vmbmodel.plan.bill import reconcile as reconcile
from vmbmodel.plan.calibrate import calibrate as calibrate
from vmbmodel.plan.check import check as check
from vmbmodel.plan.estimate import compare as compare
from vmbmodel.plan.estimate import doubt as doubt
from vmbmodel.plan.estimate import estimate as estimate
from vmbmodel.plan.saved import diff as diff
from vmbmodel.plan.schedule import schedule as schedule
from vmbmodel.service import limits as limits
from vmbmodel.service import prices as prices
from vmbmodel.service import profile as profile

__version__: str

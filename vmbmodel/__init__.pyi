from vmbmodel import formulas as formulas
from vmbmodel.grid import sweep as sweep
from vmbmodel.plan import Scenario as Scenario
from vmbmodel.plan.bill import reconcile as reconcile
from vmbmodel.plan.calibrate import calibrate as calibrate
from vmbmodel.plan.check import check as check
from vmbmodel.plan.estimate import compare as compare
from vmbmodel.plan.estimate import estimate as estimate
from vmbmodel.plan.saved import diff as diff
from vmbmodel.plan.schedule import schedule as schedule

__version__: str
